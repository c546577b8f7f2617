"""A test of the tests: each line that keeps a wake-up or a permit from being lost is taken out, and the scheduler finds it.

The planted fault is also found again from its token, which is what a token is for.
"""

import inspect
import re
import sys
import textwrap
from types import FunctionType

import pytest

from seawall import Batcher, Condition, Mutex, configure
from seawall.core.line import Line
from seawall.locks import waiting
from seawall.locks.read_write import ReadWriteLock, WriteSide, _Drain
from seawall.pools import member
from seawall.pools.crew import Crew
from seawall.pools.member import Member
from seawall.runtime.park import ThreadWaiter
from seawall.testing import explore, explore_all, replay
from seawall.testing.interleavings import Scenario

MUTATIONS = {
    "a waiter does not look again": (Line.join, "    self.settle()", "    pass", "mutex"),
    "a giver does not look again": (Line.give, "if not self.waiters:", "if True:", "line"),
    "a mutex that is left does not look again": (Mutex.__exit__, "self._line.settle()", "pass", "mutex"),
    "a permit in hand is dropped": (Line.settle, "Line.give(self)", "self._hand_over()", "line"),
    "a permit is freed though someone waits": (
        Line.give,
        "return\n        self.free",
        "pass\n        self.free",
        "mutex",
    ),
    "whoever gives up keeps what it was given": (waiting.give_up, "lock._give_up(waiter)", "pass", "mutex_with_a_task"),
    "a late one leaves without asking": (
        waiting._end_wait,
        "not granted and waiter.claim()",
        "not granted",
        "mutex_with_a_late_one",
    ),
    "a grant wakes nobody": (ThreadWaiter.grant, "self._parker.unpark()", "pass", "mutex"),
    "a writer does not look again for readers": (
        WriteSide._enter_now,
        "if not lock._readers:\n        return True",
        "return True",
        "a_reader_that_stays",
    ),
    "the last reader wakes no writer": (ReadWriteLock._dismiss, "drainer.grant()", "pass", "read_write"),
    "a writer that queues does not look for readers": (_Drain.join, "waiter.grant()", "pass", "read_write"),
    "a notified sleeper is not put in line": (Condition._wake, "mutex._line.join(waiter)", "pass", "condition"),
    "the mutex is left before the sleep begins": (
        Condition._fall_asleep,
        "self._sleepers.append(sleeper)\n    self._mutex.__exit__(None, None, None)",
        "self._mutex.__exit__(None, None, None)\n    self._sleepers.append(sleeper)",
        "condition",
    ),
    "a thread of a pool does not look again": (
        Member._serve,
        "if urgent or queue or crew.is_closed or crew.count > crew.allowed:",
        "if False:",
        "pool",
    ),
    "who queues at a pool wakes no idle thread": (Crew.take_on, "if self.idle:", "if False:", "pool"),
    "who puts wakes no idle flusher": (Batcher._enter, "if self._is_idle:", "if False:", "batcher"),
    "an idle flusher does not look again": (
        Batcher._flush_until_stopped,
        "self._is_idle = True\n        if self._line:",
        "self._is_idle = True\n        if False:",
        "batcher",
    ),
}


def mutant(fn: FunctionType, old: str, new: str) -> FunctionType:
    """`fn` with `old` replaced, in the same place as far as the scheduler can tell."""
    source = textwrap.dedent(inspect.getsource(fn))
    assert source.count(old) == 1, source
    scope: dict[str, object] = {}
    code = compile("from __future__ import annotations\n" + source.replace(old, new), inspect.getfile(fn), "exec")
    exec(code, fn.__globals__, scope)
    made = scope[fn.__name__]
    assert isinstance(made, FunctionType)
    return made


def owner_of(fn: FunctionType) -> object:
    found: object = sys.modules[fn.__module__]
    for part in fn.__qualname__.split(".")[:-1]:
        found = getattr(found, part)
    return found


def look_everywhere(scenario: Scenario) -> None:
    explore_all(scenario, preemptions=0)
    explore(scenario, runs=100)
    explore_all(scenario)


@pytest.mark.parametrize("fault", MUTATIONS)
def test_a_line_that_is_missed_is_found_missing(orders, monkeypatch, fault: str) -> None:
    configure(level="watched")
    fn, old, new, name = MUTATIONS[fault]
    scenario = orders.SCENARIOS[name]
    monkeypatch.setattr(member, "IDLE_S", None)  # or an idle thread would look again by itself, if late
    monkeypatch.setattr(owner_of(fn), fn.__name__, mutant(fn, old, new))
    with pytest.raises(BaseException) as caught:
        look_everywhere(scenario)
    token = re.search(r"token '([^']*)'", caught.value.__notes__[0])
    assert token is not None
    with pytest.raises(type(caught.value)):
        replay(scenario, token[1])
    monkeypatch.undo()
    configure(level="watched")
    explore(scenario, runs=20)
