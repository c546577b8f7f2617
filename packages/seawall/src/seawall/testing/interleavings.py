"""Races on purpose: run a scenario in many orders, and a failing one again from its token."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import Any

from seawall.clock import use_time_of
from seawall.runtime.script import Choose, Hang, Script
from seawall.runtime.scripted import ScriptedPrimitives
from seawall.runtime.scripted_loop import run_in_script
from seawall.runtime.threads import use_primitives

__all__ = ["Hang", "Interleaving", "Scenario", "explore", "explore_all", "replay"]

Scenario = Callable[["Interleaving"], Callable[[], None] | None]
"""Makes its objects, adds its threads, and may return a check to be made when all have ended."""

RATES = (0.3, 0.1, 0.03, 0.01)
"""How often another thread goes on, drawn for each run: some races need many changes, others one at the right place."""

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PARTS = ("core", "locks", "flow", "runtime/park", "pools/borrowed", "pools/crew", "pools/future", "pools/member")
SEAWALL = tuple(os.path.join(_ROOT, *part.split("/")) for part in (*_PARTS, "pools/nesting", "pools/resource_pool"))
"""Where Seawall keeps state that threads share, but for what serves the whole process and so outlives a run."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Interleaving:
    """What a scenario gets: the threads of one run, and its time."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def thread(self, run: Callable[[], None], name: str = "") -> None:
        """Add a thread."""
        self._script.thread(run, name)

    def tasks(self, main: Callable[[], Awaitable[Any]], name: str = "") -> None:
        """Add a thread that runs an event loop with `main()`."""
        self._script.thread(lambda: run_in_script(self._script, main), name)

    def sleep(self, for_s: float) -> None:
        """Have the running thread wait for so many seconds of the run's own time, which cost none."""
        self._script.wait(object(), for_s)

    def now_s(self) -> float:
        """The run's own time, which is also the system clock's while it runs. It passes only where a wait times out."""
        return self._script.now_s


def explore(scenario: Scenario, *, runs: int = 200, seed: int = 0, within: Sequence[ModuleType] | None = None) -> None:
    """Run `scenario` in `runs` orders drawn from `seed`. A failure's note has the token that `replay` takes.

    Another thread may go on at each step on one of Seawall's primitives, and between any two bytecodes of `within`:
    Seawall's own modules, where none are given. A wait with a time-out may be late at any of these, and takes no time:
    the clock is the run's own. Raises what a thread or the check raised, or `Hang` where nobody could go on. What was
    made before the scenario (another pool, a lock of the standard library) is not scripted, and a thread that waits
    for it stops the run.

        def scenario(run):
            mutex, inside = Mutex("m"), []
            def enter():
                with mutex:
                    inside.append(1)
                    assert len(inside) == 1
                    inside.pop()
            run.thread(enter)
            run.thread(enter)

        explore(scenario, runs=500)
    """
    for number in range(runs):
        choose = _Drawn(random.Random(f"{seed}/{number}"))
        try:
            _run(scenario, choose, within)
        except Exception as error:
            error.add_note(f"replay it with the token {_token_of(choose.made)!r} (run {number} of seed {seed})")
            raise


def explore_all(
    scenario: Scenario, *, preemptions: int = 1, most_runs: int = 100_000, within: Sequence[ModuleType] | None = None
) -> int:
    """Run `scenario` in every order in which threads are interrupted at most `preemptions` times. Tells how many.

    As `explore`, but nothing is left to chance. A change where the running thread waits or has ended is no
    interruption, and all of these are tried; a wait that is late while someone can go on is one. Meant for two or three
    threads of a few steps: with n steps there are about n orders of one interruption and n²/2 of two. Raises ValueError
    where there are more than `most_runs`.

    Source: Musuvathi and Qadeer, "Iterative context bounding for systematic testing of multithreaded programs" (2007).
    """
    runs = 0
    left: list[tuple[list[int], int]] = [([], preemptions)]  # how a run begins, and how many interruptions it may add
    while left:
        start, may_add = left.pop()
        if runs == most_runs:
            raise ValueError(f"more than {most_runs:,} orders: take fewer preemptions, threads or steps")
        runs += 1
        choose = _Begun(start)
        try:
            _run(scenario, choose, within)
        except Exception as error:
            error.add_note(
                f"replay it with the token {_token_of(choose.made)!r} (run {runs} of {preemptions} preemptions)"
            )
            raise
        for at in range(len(start), len(choose.seen)):
            options, may_go_on = choose.seen[at]
            if may_add or not may_go_on:
                left.extend(([*choose.made[:at], other], may_add - may_go_on) for other in range(1, options))
    return runs


def replay(scenario: Scenario, token: str, *, within: Sequence[ModuleType] | None = None) -> None:
    """Run `scenario` once, in the order that `token` says; `within` as when it was found."""
    choices = iter(_choices_of(token))
    _run(scenario, lambda options, _: min(next(choices, 0), options - 1), within)


def _run(scenario: Scenario, choose: Choose, within: Sequence[ModuleType] | None) -> None:
    script = Script(choose, SEAWALL if within is None else [str(module.__file__) for module in within])
    use_primitives(ScriptedPrimitives(script))
    use_time_of(lambda: script.now_s)
    try:
        check = scenario(Interleaving(script))
        script.run()
    finally:
        use_time_of(None)
        use_primitives(None)
    if check is not None:
        check()


class _Drawn:
    """Choices by chance; keeps them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._rate = chance.choice(RATES)
        self.made: list[int] = []

    def __call__(self, options: int, _: bool) -> int:
        self.made.append(self._chance.randrange(options) if self._chance.random() < self._rate else 0)
        return self.made[-1]


class _Begun:
    """Choices given for the beginning, and no change of threads after that; keeps them, and what there was to choose."""

    def __init__(self, start: Sequence[int]) -> None:
        self._start = start
        self.made: list[int] = []
        self.seen: list[tuple[int, bool]] = []

    def __call__(self, options: int, may_go_on: bool) -> int:
        at = len(self.made)
        self.made.append(min(self._start[at], options - 1) if at < len(self._start) else 0)
        self.seen.append((options, may_go_on))
        return self.made[-1]


def _token_of(choices: Sequence[int]) -> str:
    # Most choices are "go on": only the others are written, each after how many of these it comes.
    parts, gap = [], 0
    for choice in choices:
        if choice:
            parts.append(f"{_base36(gap)}.{_base36(choice)}")
            gap = 0
        else:
            gap += 1
    return "-".join(parts)


def _choices_of(token: str) -> list[int]:
    choices: list[int] = []
    for part in token.split("-") if token else []:
        gap, choice = part.split(".")
        choices.extend([0] * int(gap, 36))
        choices.append(int(choice, 36))
    return choices


def _base36(number: int) -> str:
    digits = _DIGITS[number % 36]
    while number := number // 36:
        digits = _DIGITS[number % 36] + digits
    return digits
