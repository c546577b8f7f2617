"""`uv run --group lab python -m lab.launch_day`: every step of the story under the same crowds, and a page that shows it.

Exit status: 0 done, 2 bad arguments, 3 the generator was the limit in some run, so that its figures are void.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import commit, machine
from lab import commands
from lab.launch_day import database as databases
from lab.launch_day import k6, page, seed, story
from lab.launch_day.database import Database
from lab.launch_day.document import CrossCheck, Document, Seen, StepResult
from lab.launch_day.run import Plan, Result, closed_rate, run
from lab.launch_day.seed import Crowd

FULL = Plan(load_s=10.0, watch_s=30.0)
QUICK = Plan(load_s=5.0, watch_s=10.0)
CLOSED_USERS = (1, 2, 4, 8)
QUICK_CLOSED_USERS = (4,)
SWEEP = (0.6, 0.8, 1.0, 1.2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the story and write what was asked for."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    for path in (asked.html, asked.json):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"{path}: there is no directory {path.absolute().parent}")
    commands.end_on_signals()
    with tempfile.TemporaryDirectory(prefix="launch-day-") as name:
        directory = Path(name)
        kind = databases.sqlite if asked.sqlite else databases.postgresql
        with kind(directory) as database:
            document = Story(database, directory, asked.seed, asked.quick).document()
    text = json.dumps(document, indent=1, ensure_ascii=False)
    if asked.json:
        asked.json.write_text(text + "\n")
    if asked.html:
        asked.html.write_text(page.draw(document))
    if _is_void(document):
        commands.say(
            "VOID runs are among these, in which the generator was the limit: they say nothing about the service"
        )
        return 3
    return 0


class Story:
    """All steps on one database, in turn under each load, so that what else the machine does meets all alike."""

    def __init__(self, database: Database, directory: Path, seed_number: int, is_quick: bool) -> None:
        self._database = database
        self._directory = directory
        self._seed = seed_number
        self._is_quick = is_quick
        self._plan = QUICK if is_quick else FULL
        self._runs = 0
        self._crowd = Crowd((), ())

    def document(self) -> Document:
        """Run everything and return what the JSON file holds."""
        measured = commit()  # now: somebody may work on while it runs
        commands.say(f"filling {self._database.name} …")
        self._crowd = seed.fill(self._database.engine, self._seed)
        peak = self.peak()
        commands.say(f"peak of step 0: {peak:.1f} good answers a second")
        factors = story.QUICK_FACTORS if self._is_quick else story.FACTORS
        checked: CrossCheck | None = None
        results: dict[tuple[tuple[str, ...], float], Result] = {}
        steps = [(step, factors) for step in story.STEPS]
        variants = [] if self._is_quick else [(step, story.VARIANT_FACTORS) for step in story.VARIANTS]
        for factor in factors:
            for step, wanted in [*steps, *variants]:
                if factor in wanted and (step.mends, factor) not in results:
                    results[step.mends, factor] = self._run(step, factor, peak)
            if factor == story.CROSS_CHECKED:  # now, while the machine is as it was
                last = story.STEPS[-1]
                checked = self._cross_check(last, results[last.mends, factor], factor)
        assert checked is not None
        return {
            "what": "lab.launch_day",
            "database": self._database.name,
            "machine": machine(),
            "commit": measured,
            "seed": self._seed,
            "quick": self._is_quick,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "load_s": self._plan.load_s,
            "watch_s": self._plan.watch_s,
            "peak_per_s": round(peak, 2),
            "steps": [_as_json(step, results, wanted, peak if not step.mends else 0) for step, wanted in steps],
            "variants": [_as_json(step, results, wanted, 0) for step, wanted in variants],
            "cross_check": checked,
        }

    def peak(self) -> float:
        """The most good answers a second that step 0 gave, to people in turn, then (unless quick) at rising rates."""
        best = max(
            closed_rate(self._database, self._crowd, self._next(), users=users, seconds=self._plan.load_s)
            for users in (QUICK_CLOSED_USERS if self._is_quick else CLOSED_USERS)
        )
        commands.say(f"people in turn: {best:.1f} good answers a second")
        for share in () if self._is_quick else SWEEP:
            plan = Plan(self._plan.load_s, 0.0)
            result = run((), self._database, self._crowd, self._next(), plan, rate=best * share)
            commands.say(f"  {best * share:.1f}/s offered: {result.goodput_per_s:.1f} good")
            best = max(best, result.goodput_per_s)
        return best

    def _run(self, step: story.Step, factor: float, peak: float) -> Result:
        result = run(step.mends, self._database, self._crowd, self._next(), self._plan, rate=factor * peak)
        void = f", VOID: {result.void_reason}" if result.void else ""
        recovered = "not back" if result.recovery_s is None else f"back after {result.recovery_s:.1f} s"
        commands.say(
            f"{step.name:>11} at {factor:g} x: {result.goodput_per_s:6.1f}/s good of {result.offered_per_s:.1f}, "
            f"p50 {result.tally.p50_ms:.0f} ms, {recovered}, lost {result.lost_updates} of {result.served_views}, "
            f"deadlocks {result.database_deadlocks} + {result.memory_deadlocks}, refused {result.tally.refused}, "
            f"time-outs {result.tally.timeouts}, of the pool {result.pool_timeouts}{void}"
        )
        return result

    def _cross_check(self, step: story.Step, seen: Result, factor: float) -> CrossCheck:
        rate = seen.offered_per_s
        plan = Plan(self._plan.load_s, 0.0)
        by_k6 = run(step.mends, self._database, self._crowd, self._next(), plan, rate=rate, coming=k6.coming)
        commands.say(
            f"cross-check, step {step.name} at {factor:g} x: Flashcrowd {seen.goodput_per_s:.1f}/s good, k6 "
            f"{by_k6.goodput_per_s:.1f}{', k6 VOID' if by_k6.void else ''}"
        )
        return {
            "step": step.name,
            "title": step.title,
            "factor": factor,
            "offered_per_s": round(rate, 2),
            "flashcrowd": _seen(seen),
            "k6": _seen(by_k6),
        }

    def _next(self) -> Path:
        self._runs += 1
        return self._directory / f"run-{self._runs}"


def _as_json(
    step: story.Step, results: dict[tuple[tuple[str, ...], float], Result], factors: Sequence[float], peak: float
) -> StepResult:
    loads = [results[step.mends, factor] for factor in factors]
    return {
        "name": step.name,
        "title": step.title,
        "mends": list(step.mends),
        "peak_per_s": round(max(peak, *(result.goodput_per_s for result in loads)), 2),
        "loads": [result.as_json(factor) for factor, result in zip(factors, loads, strict=True)],
    }


def _seen(result: Result) -> Seen:
    return {
        "goodput_per_s": round(result.goodput_per_s, 2),
        "p50_ms": round(result.tally.p50_ms),
        "p99_ms": round(result.tally.p99_ms),
        "refused": result.tally.refused,
        "timeouts": result.tally.timeouts,
        "sent": result.tally.sent,
        "lateness_ms": {"p99": round(result.tally.lateness_p99_ms, 1)},
        "void": result.void,
        "void_reason": result.void_reason,
    }


def _is_void(document: Document) -> bool:
    return any(load["void"] for step in [*document["steps"], *document["variants"]] for load in step["loads"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.launch_day", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 and 5 times the peak only, in under four minutes")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite instead of a PostgreSQL of its own")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--seed", type=commands.seed, default=1, metavar="N", help="of the data and the crowd (1)")
    return parser


if __name__ == "__main__":
    commands.run(main)
