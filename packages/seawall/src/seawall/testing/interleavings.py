"""Races on purpose: run a scenario in many orders, and a failing one again from its token."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import Any

from seawall.runtime.script import Hang, Script
from seawall.runtime.scripted import ScriptedPrimitives
from seawall.runtime.scripted_loop import run_in_script
from seawall.runtime.threads import use_primitives

__all__ = ["Hang", "Interleaving", "Scenario", "explore", "replay"]

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
    """What a scenario gets: the threads of one run."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def thread(self, run: Callable[[], None], name: str = "") -> None:
        """Add a thread."""
        self._script.thread(run, name)

    def tasks(self, main: Callable[[], Awaitable[Any]], name: str = "") -> None:
        """Add a thread that runs an event loop with `main()`."""
        self._script.thread(lambda: run_in_script(self._script, main), name)


def explore(scenario: Scenario, *, runs: int = 200, seed: int = 0, within: Sequence[ModuleType] | None = None) -> None:
    """Run `scenario` in `runs` orders drawn from `seed`. A failure's note has the token that `replay` takes.

    Another thread may go on at each step on one of Seawall's primitives, and between any two bytecodes of `within`:
    Seawall's own modules, where none are given. Raises what a thread or the check raised, or `Hang` where nobody could
    go on. What was made before the scenario (another pool, a lock of the standard library) is not scripted, and a
    thread that waits for it stops the run.

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
        chance = random.Random(f"{seed}/{number}")
        rate = chance.choice(RATES)
        made: list[int] = []

        def choose(options: int, chance: random.Random = chance, rate: float = rate, made: list[int] = made) -> int:
            made.append(chance.randrange(options) if chance.random() < rate else 0)
            return made[-1]

        try:
            _run(scenario, choose, within)
        except Exception as error:
            error.add_note(f"replay it with the token {_token_of(made)!r} (run {number} of seed {seed})")
            raise


def replay(scenario: Scenario, token: str, *, within: Sequence[ModuleType] | None = None) -> None:
    """Run `scenario` once, in the order that `token` says; `within` as when it was found."""
    choices = iter(_choices_of(token))
    _run(scenario, lambda options: min(next(choices, 0), options - 1), within)


def _run(scenario: Scenario, choose: Callable[[int], int], within: Sequence[ModuleType] | None) -> None:
    script = Script(choose, SEAWALL if within is None else [str(module.__file__) for module in within])
    use_primitives(ScriptedPrimitives(script))
    try:
        check = scenario(Interleaving(script))
        script.run()
    finally:
        use_primitives(None)
    if check is not None:
        check()


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
