"""kill -9 while days are derived: each is derived whole or not at all, and every answer is as from the raw rows."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from turnout.jobs.derive import Derivation
from turnout.model.derived import NOTHING_DERIVED, Derived
from turnout.model.query import Comparison, Days, Query
from turnout.model.site import Site, SiteId, UserId
from turnout.query.plan import make_plan
from turnout.store.duckdb.database import EventDatabase
from turnout.store.duckdb.reader import Reader

HERE = Path(__file__).parent
SITE = Site(SiteId(1), "e.org", "UTC", UserId(1))
RANGE = Days(date(2026, 5, 20), date(2026, 6, 20))
METRICS = (
    "visitors",
    "pageviews",
    "events",
    "visits",
    "bounce_rate",
    "visit_duration",
    "views_per_visit",
    "percentage",
)
DIMENSIONS = ("visit:source", "event:page", "visit:entry_page", "visit:exit_page", "time:day", "time:hour")
FILTERS = ((), (Comparison("contains", "visit:source", ("a",)),), (Comparison("is", "visit:exit_page", ("/1",)),))


def run_and_kill(directory: Path, seed: int, after_days: int, more_s: float) -> None:
    """Run the driver until it has derived so many days, and a little longer, and kill it."""
    command = [sys.executable, str(HERE / "derive_driver.py"), str(directory), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after_days):
            assert process.stdout.readline() == "derived\n"
        try:
            process.wait(timeout=more_s)  # any moment of the next derivation
        except subprocess.TimeoutExpired:
            process.kill()
    assert process.returncode == -9


def answers(reader: Reader, derived: Derived) -> list[list[tuple[object, ...]]]:
    dimensions = [(), *[(name,) for name in DIMENSIONS], ("visit:source", "time:day")]
    queries = [
        Query(metrics=METRICS, range=RANGE, dimensions=names, filters=filters)
        for names in dimensions
        for filters in FILTERS
    ]
    plans = [make_plan(SITE, query, derived) for query in queries]
    return [reader.rows(plan.sql, plan.parameters) for plan in plans]


def check(directory: Path) -> None:
    """Open what is left, and compare with the raw rows; derive the rest, and compare again."""
    database = EventDatabase(directory / "events.duckdb")
    reader = Reader(database.connect, database.writer().position, database.derived)
    expected = answers(reader, NOTHING_DERIVED)
    assert answers(reader, database.derived(1)) == expected
    job = Derivation(database.deriver(), quiet_s=0)
    while job.step():
        pass
    assert database.derived(1).runs
    assert job.figures().days_waiting == 0
    assert answers(reader, database.derived(1)) == expected
    reader.close()
    database.close()


def test_kills_at_random_moments_of_a_derivation_change_no_answer(tmp_path: Path) -> None:
    chance = random.Random(3)
    for round_ in range(5):
        run_and_kill(tmp_path, round_, chance.randrange(1, 12), chance.random() * 0.1)
        if round_ % 2 == 0:
            check(tmp_path)


@pytest.mark.soak
def test_forty_kills_while_deriving_change_no_answer(tmp_path: Path) -> None:
    chance = random.Random(4)
    for round_ in range(40):
        run_and_kill(tmp_path, round_, chance.randrange(0, 25), chance.random() * 0.3)
        check(tmp_path)
