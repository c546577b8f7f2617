"""Fails a test that leaves something behind. Use: `pytest_plugins = ["seawall.testing.pytest_plugin"]`, or `-p` with it.

After each test (and its fixtures) every check of `CHECKS` is asked what is wrong now that was not before: a thread that
still runs, a lock that is still held, a semaphore that lacks permits, a gate with somebody inside, a deadlock or an inversion
of the lock order, also where the test never saw the error because some thread swallowed it. A test that plants one says so:
`@pytest.mark.seawall_expects("deadlock", "inversion")`. More checks can be added to `CHECKS`: each is called before the test
and returns a function to call after it, which returns what to complain of.

With `--lock-order=FILE` the orders in which locks were nested are compared with those in FILE, which is reviewed like code:
an order that is not there fails the run. `--lock-order-write` writes the file anew.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seawall.clock import SYSTEM_CLOCK
from seawall.errors import Deadlock, LockOrderViolation
from seawall.locks.order import lock_order
from seawall.observe.events import EVENTS, DeadlockFound, OrderInverted
from seawall.observe.registry import snapshot
from seawall.runtime.park import Parker

Check = Callable[[pytest.Item], Callable[[], Sequence[str]]]

OF_THE_PROCESS = ("seawall-pacer", "seawall-sweeper", "seawall-watchdog")
"""Seawall's own threads, which serve every pool and lock and end by themselves."""

GRACE_S = 2.0
"""A thread that was told to end may need a moment, more on a busy machine."""

_NEW_ORDERS = pytest.StashKey[list[str]]()
_KEY = pytest.StashKey[list[Callable[[], Sequence[str]]]]()


def threads(_: pytest.Item) -> Callable[[], Sequence[str]]:
    """Complains of threads that run on."""
    before = set(threading.enumerate())

    def leaked() -> list[str]:
        return [
            f"leaked thread {thread.name}"
            for thread in threading.enumerate()
            if thread not in before and not thread.name.startswith(OF_THE_PROCESS)
        ]

    return lambda: _after_grace(leaked)


def permits(_: pytest.Item) -> Callable[[], Sequence[str]]:
    """Complains of locks that are held, semaphores that lack permits and gates with somebody inside."""
    before = set(_taken())
    return lambda: _after_grace(lambda: [f"leaked permit of {name}" for name in _taken() if name not in before])


def findings(item: pytest.Item) -> Callable[[], Sequence[str]]:
    """Complains of deadlocks and of inversions of the lock order that the test does not expect."""
    expected = {kind for mark in item.iter_markers("seawall_expects") for kind in mark.args}
    found: list[str] = []

    def observe(event: object) -> None:
        if isinstance(event, DeadlockFound) and "deadlock" not in expected:
            found.append(str(Deadlock(event.cycle)))
        elif isinstance(event, OrderInverted) and "inversion" not in expected:
            told = LockOrderViolation(event.first, event.second, event.stacks, event.owners)
            found.append(f"lock order inverted: {told}")

    EVENTS.add(observe)

    def look() -> list[str]:
        EVENTS.remove(observe)
        return found

    return look


CHECKS: list[Check] = [threads, permits, findings]
"""What is looked at. Append to it in a conftest.py."""


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "seawall_expects(*kinds): the test plants a `deadlock` or an `inversion`")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options for the file of lock orders."""
    group = parser.getgroup("seawall")
    group.addoption("--lock-order", metavar="FILE", help="fail where locks are nested in an order that FILE lacks")
    group.addoption("--lock-order-write", action="store_true", help="write the orders seen to that file")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compares the lock orders that the tests used with the file's, or writes them there."""
    name = session.config.getoption("--lock-order")
    if not name:
        return
    path = Path(name)
    seen = {f"{edge.first} -> {edge.second}" for edge in lock_order()}
    if session.config.getoption("--lock-order-write"):
        path.write_text("".join(f"{line}\n" for line in sorted(seen)), encoding="utf-8")
        return
    known = set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()
    session.config.stash[_NEW_ORDERS] = new = sorted(seen - known)
    if new:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says which orders are new."""
    for line in config.stash.get(_NEW_ORDERS, []):
        terminalreporter.write_line(f"lock order not in the file: {line}", red=True)
    if config.stash.get(_NEW_ORDERS, []):
        terminalreporter.write_line("where these are right, write them with --lock-order-write and review the file")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Notes how things stand before the test's fixtures are made."""
    item.stash[_KEY] = [check(item) for check in CHECKS]
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Complains after its fixtures are gone."""
    outcome = yield
    found = [complaint for look in item.stash.get(_KEY, []) for complaint in look()]
    if found:
        pytest.fail("\n".join(found), pytrace=False)
    return outcome


def _taken() -> list[str]:
    taken = snapshot()
    return [
        *(f"mutex {lock.name}" for lock in taken.locks if lock.holders),
        *(f"semaphore {semaphore.name}" for semaphore in taken.semaphores if semaphore.free < semaphore.permits),
        *(f"gate {gate.name}" for gate in taken.gates if gate.in_flight),
        *(f"read-write lock {lock.name}" for lock in taken.read_write_locks if lock.readers or lock.writer),
    ]


def _after_grace(look: Callable[[], list[str]]) -> list[str]:
    found = look()
    until_s = SYSTEM_CLOCK.monotonic() + GRACE_S
    if found:
        gc.collect()  # what is only waiting to be collected is not leaked
    pause = Parker()
    while (found := look()) and SYSTEM_CLOCK.monotonic() < until_s:
        pause.park(0.01)
    return found
