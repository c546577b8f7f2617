"""Claim a: step 5 of the launch day against step 0, at five times the load at which step 0 first fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.crowd import expected
from lab.five_times.document import Accounted, Service, ServiceRun, Tried
from lab.launch_day import database as databases
from lab.launch_day import seed
from lab.launch_day.database import Database
from lab.launch_day.run import Plan, Result, closed_rate, run
from lab.launch_day.story import STEPS

PROMISED = 0.95
PROMISE = "95 % of those who come are served right and in time"
CLOSED_USERS = 4
BEGIN_AT, RISE, MOST_TRIES = 0.5, 1.3, 8
"""The search begins at this share of what a few people in turn are served, and rises by this factor until step 0 fails."""
FACTORS = (1.0, 5.0)
COMPARED = (STEPS[0], STEPS[-1])

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Step 0 and step 5 on one database: the same data, requests, sign-in check, counter and cost of a hash."""

    directory: Path
    seed_number: int
    plan: Plan
    rounds: int
    say: Say

    def document(self) -> Service:
        """Run everything."""
        with databases.postgresql(self.directory) as database:
            self.say(f"claim a: filling {database.name} …")
            crowd = seed.fill(database.engine, self.seed_number)
            directories = (self.directory / f"run-{n}" for n in range(1, 1_000))
            tried = list(self._search(database, crowd, directories))
            fails_at = tried[-1]["offered_per_s"]
            self.say(f"claim a: step 0 first fails at {fails_at:.1f}/s")
            runs: list[ServiceRun] = []
            for number in range(1, self.rounds + 1):
                for factor in FACTORS:
                    for step in COMPARED:  # in turn, so that what else the machine does meets both alike
                        result = run(step.mends, database, crowd, next(directories), self.plan, rate=factor * fails_at)
                        self.say(_told(f"step {step.name} at {factor:g} x", result))
                        runs.append(
                            {
                                "step": step.name,
                                "title": step.title,
                                "round": number,
                                "load": result.as_json(factor),
                                "accounted": accounted(result, self.plan.load_s),
                            }
                        )
            return {
                "database": database.name,
                "first_fails_per_s": round(fails_at, 2),
                "promise": PROMISE,
                "tried": tried,
                "runs": runs,
            }

    def _search(self, database: Database, crowd: seed.Crowd, directories: Iterator[Path]) -> Iterator[Tried]:
        """Loads in rising order, the last of which is the first that step 0 fails, or the highest that was tried."""
        plan = Plan(self.plan.load_s, 0.0)
        rate = BEGIN_AT * closed_rate(database, crowd, next(directories), users=CLOSED_USERS, seconds=self.plan.load_s)
        for _ in range(MOST_TRIES):
            result = run((), database, crowd, next(directories), plan, rate=rate)
            share = result.tally.good / max(1, result.tally.sent)
            self.say(f"  step 0, {rate:.1f}/s offered: {100 * share:.0f} % served right and in time")
            yield {
                "offered_per_s": round(rate, 2),
                "goodput_per_s": round(result.goodput_per_s, 2),
                "good_share": round(share, 4),
            }
            if share < PROMISED:
                return
            rate *= RISE


def accounted(result: Result, seconds: float) -> Accounted:
    """Where every request of a run went."""
    told = result.tally
    planned = expected(result.offered_per_s, seconds)
    outcomes = told.good + told.slow + told.refused + told.timeouts + told.errors + told.wrong
    holds = outcomes == told.sent and told.sent + result.dropped == planned
    return {"planned": planned, "sent": told.sent, "unsent": result.dropped, "holds": holds}


def _told(what: str, result: Result) -> str:
    back = "not back" if result.recovery_s is None else f"back after {result.recovery_s:.1f} s"
    void = f", VOID: {result.void_reason}" if result.void else ""
    return (
        f"  {what}: {result.goodput_per_s:.1f}/s good of {result.offered_per_s:.1f}, {back}, lost {result.lost_updates} of "
        f"{result.served_views}, refused {result.tally.refused}, left {result.tally.timeouts}{void}"
    )
