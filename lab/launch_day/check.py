"""Mend 3, the service's own load test: `uv run --group lab python -m lab.launch_day.check` sends a crowd, and fails when a
promise is broken. Run it before each release, at the load that is promised: what falls then falls before launch day.

Exit status: 0 kept, 1 broken, 2 bad arguments, 3 the generator was the limit, so that nothing was found out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.launch_day import database as databases
from lab.launch_day import seed
from lab.launch_day.run import Plan, Result, run
from lab.launch_day.story import STEPS

RATE_PER_S = 60.0
"""About twice what step 0 gives at its best on two cores of 2026 that have nothing else to do."""

PLAN = Plan(load_s=10.0, watch_s=10.0)


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that must hold under the crowd, and what it came to."""

    words: str
    is_kept: Callable[[Result], bool]
    shown: Callable[[Result], str]


def _share(count: int, result: Result) -> float:
    return count / max(1, result.tally.sent)


def _answered(result: Result) -> float:
    return 1 - _share(result.tally.timeouts + result.tally.errors + result.tally.wrong, result)


def _deadlocks(result: Result) -> int:
    return result.database_deadlocks + result.memory_deadlocks


PROMISES: Sequence[Promise] = (
    Promise(
        "95 % are served right and in time",
        lambda result: _share(result.tally.good, result) >= 0.95,
        lambda result: f"{_share(result.tally.good, result):.1%}",
    ),
    Promise(
        "99 % get an answer, if only to come back later",
        lambda result: _answered(result) >= 0.99,
        lambda result: f"{_answered(result):.1%}",
    ),
    Promise(
        "no view that was answered is lost",
        lambda result: result.lost_updates == 0,
        lambda result: f"{result.lost_updates} of {result.served_views}",
    ),
    Promise("no deadlock", lambda result: _deadlocks(result) == 0, lambda result: str(_deadlocks(result))),
    Promise(
        "back within 2 s when the crowd has gone",
        lambda result: result.recovery_s is not None and result.recovery_s <= 2.0,
        lambda result: f"> {result.watched_s:g} s" if result.recovery_s is None else f"{result.recovery_s:.1f} s",
    ),
)


def broken(result: Result) -> list[Promise]:
    """The promises that a run did not keep."""
    return [promise for promise in PROMISES if not promise.is_kept(result)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Send the crowd to a service with the mends of one step, and say what it kept."""
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(prog="python -m lab.launch_day.check", description=__doc__)
    parser.add_argument("--step", choices=names, default=names[-1], help=f"which service ({names[-1]})")
    parser.add_argument("--rate", type=_rate, default=RATE_PER_S, metavar="N", help=f"people a second ({RATE_PER_S:g})")
    asked = parser.parse_args(arguments)
    step = next(step for step in STEPS if step.name == asked.step)
    with tempfile.TemporaryDirectory(prefix="launch-day-") as name, databases.postgresql(Path(name)) as database:
        crowd = seed.fill(database.engine, 1)
        result = run(step.mends, database, crowd, Path(name) / "run", PLAN, rate=asked.rate)
    print(f"step {step.name}, {step.title}: {asked.rate:g} people a second for {PLAN.load_s:g} s")
    return verdict(result)


def verdict(result: Result) -> int:
    """Say which promises were kept. Returns the exit status."""
    failed = broken(result)
    for promise in PROMISES:
        print(f"  {'broken' if promise in failed else 'kept':<7} {promise.words}: {promise.shown(result)}")
    if result.void:
        print(f"  void: {result.void_reason}, so this says nothing about the service")
        return 3
    return 1 if failed else 0


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 10_000:
        raise argparse.ArgumentTypeError(f"people a second, above 0, not {text!r}")
    return rate


if __name__ == "__main__":
    sys.exit(main())
