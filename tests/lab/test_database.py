"""The two databases of the lab hold the same, and every step runs on both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import distinct, func, select

from lab.launch_day import database, seed, story
from lab.launch_day.database import Database
from lab.launch_day.schema import Event, Permission, Site


def contents(of: Database) -> list[object]:
    """Sums over what was filled in."""
    asked = [
        select(func.count(), func.sum(Event.visitor), func.count(distinct(Event.path)), func.min(Event.day)),
        select(func.sum(Permission.user_id * Permission.site_id)),
        select(Site.domain).where(Site.id == 1),
    ]
    with of.engine.connect() as connection:
        return [tuple(connection.execute(statement).one()) for statement in asked]


def test_the_same_seed_fills_both_databases_with_the_same(server: Database, crowd: seed.Crowd, tmp_path: Path) -> None:
    with database.sqlite(tmp_path) as file:
        assert seed.fill(file.engine, seed=1, events_per_site=300) == crowd
        assert contents(file) == contents(server)


def test_another_seed_brings_other_people(crowd: seed.Crowd, tmp_path: Path) -> None:
    with database.sqlite(tmp_path) as file:
        assert seed.fill(file.engine, seed=2, events_per_site=300) != crowd


@pytest.mark.parametrize("step", story.STEPS, ids=lambda step: step.name)
def test_every_step_counts_and_sums_up_on_sqlite(
    step: story.Step, service: Callable[..., ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.sqlite(tmp_path) as file:
        seed.fill(file.engine, seed=1, events_per_site=300)
        monkeypatch.setenv("DATABASE_URL", file.url)
        running = service(*step.mends)
        running.roll_up([2, 1])
        with running.new_session() as db:
            running.count_view(db, 1)
            numbers = running.numbers(db, 1, running.Settings(30, 10))
        assert file.views() == 1
        assert sum(day[1] for day in numbers["days"]) == 300
        with file.engine.connect() as connection:
            assert connection.scalar(select(Site.visitors_today).where(Site.id == 1)) == numbers["days"][-1][2]
