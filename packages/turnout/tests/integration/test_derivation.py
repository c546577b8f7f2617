"""Deriving days beside the writer: nothing late is missed, nothing half done is seen, and a site can be deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec
import pytest
from serving import until

from seawall import ThreadPool, Worker
from seawall.testing import ManualClock
from turnout.errors import StoreUnavailable
from turnout.ingest.visits import Visits
from turnout.jobs.derive import Derivation
from turnout.model.derived import NOTHING_DERIVED
from turnout.model.event import Event
from turnout.model.query import Days, Query
from turnout.model.site import Site, SiteId, UserId
from turnout.query.run import QueryRunner
from turnout.store.duckdb.database import EventDatabase
from turnout.store.duckdb.reader import Reader
from turnout.store.ledger import Group

ONE = Site(SiteId(1), "one.example", "UTC", UserId(1))
TWO = Site(SiteId(2), "two.example", "Asia/Tokyo", UserId(1))
FIRST = date(2026, 6, 1)
TEXTS = ["", "", "Direct", "", "", "", "", "", "DE", "", "", "Desktop", "Firefox", "140", "GNU/Linux", "", "de"]


def event(day: int, hour: float = 12, *, visitor: int = 1, page: str = "/", site: Site = ONE) -> Event:
    """An event on a day after `FIRST`, by a visitor of that day."""
    local = datetime(FIRST.year, FIRST.month, FIRST.day) + timedelta(days=day, hours=hour)
    local_ms = round((local - datetime(1970, 1, 1)) / timedelta(milliseconds=1))
    at_ms = local_ms - (9 * 3_600_000 if site is TWO else 0)
    who = 1_000 * day + visitor
    return Event(site.id, at_ms, local_ms, who, "pageview", True, "e.org", page, *TEXTS, {}, None, None, None, None)


class Store:
    """A store, what derives its days, and what answers questions about it."""

    def __init__(self, path: Path) -> None:
        self.database = EventDatabase(path)
        self.writer = self.database.writer()
        self.deriver = self.database.deriver()
        self.visits = Visits(self.writer)
        self.pool = ThreadPool("queries", max_threads=2)
        self.reader = Reader(self.database.connect, self.writer.position, self.database.derived)
        self.runner = QueryRunner(self.reader, self.pool)

    def add(self, *events: Event) -> None:
        first = self.writer.position() + 1
        self.writer.append([self.visits.decide(event, at) for at, event in enumerate(events, start=first)])

    def derive(self, first: int, last: int, site: Site = ONE) -> bool:
        return self.deriver.derive(days_after(first, last, site))

    def is_derived(self, day: int, site: Site = ONE) -> bool:
        at = FIRST + timedelta(days=day)
        return bool(self.database.derived(site.id).split(Days(at, at))[0])

    def pages(self) -> dict[str, tuple[object, ...]]:
        """Visitors, pageviews and visits by page, of all days."""
        query = Query(
            metrics=("visitors", "pageviews", "visits"),
            range=Days(FIRST, FIRST + timedelta(days=30)),
            dimensions=("event:page",),
        )
        return {row.dimensions[0]: row.metrics for row in asyncio.run(self.runner.answer(ONE, query)).rows}

    def rows(self, sql: str) -> Sequence[tuple[object, ...]]:
        return self.reader.rows(sql, [])

    def close(self) -> None:
        self.pool.shutdown()
        self.reader.close()
        self.database.close()


def days_after(first: int, last: int, site: Site = ONE) -> Group:
    return Group(site.id, FIRST + timedelta(days=first), FIRST + timedelta(days=last))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "events.duckdb")
    yield store
    store.close()


def test_a_late_event_has_its_day_read_anew_until_it_is_derived_again(store: Store) -> None:
    store.add(event(0), event(1), event(2))
    assert store.derive(0, 1)
    assert store.pages() == {"/": (3, 3, 3)}
    store.add(event(0, page="/late", visitor=2))
    assert not store.is_derived(0)
    assert store.is_derived(1)
    expected = {"/": (3, 3, 3), "/late": (1, 1, 1)}
    assert store.pages() == expected
    assert store.derive(0, 0)
    assert store.is_derived(0)
    assert store.pages() == expected


def test_an_event_that_comes_while_its_day_is_derived_has_it_derived_later(store: Store) -> None:
    store.add(event(0), event(1))

    def add_meanwhile() -> None:
        store.add(event(0, page="/meanwhile", visitor=2))

    assert not store.deriver.derive(days_after(0, 0), before_commit=add_meanwhile)
    assert not store.is_derived(0)
    assert store.pages() == {"/": (2, 2, 2), "/meanwhile": (1, 1, 1)}
    assert store.derive(0, 0)
    assert store.pages() == {"/": (2, 2, 2), "/meanwhile": (1, 1, 1)}


def test_an_event_of_another_day_does_not_disturb_a_derivation(store: Store) -> None:
    store.add(event(0), event(1))
    assert store.deriver.derive(days_after(0, 0), before_commit=lambda: store.add(event(1, page="/other", visitor=2)))
    assert store.is_derived(0)
    assert store.pages() == {"/": (2, 2, 2), "/other": (1, 1, 1)}


def test_a_derivation_begun_while_the_writer_appends_waits_for_it(store: Store) -> None:
    store.add(event(0), event(1))
    late = [store.visits.decide(event(0, page="/late", visitor=2), store.writer.position() + 1)]
    with store.writer._ledger.mutex:  # what `append` does, with the derivation begun in its midst
        task = store.pool.submit(store.derive, 0, 0)
        store.writer._ledger.touch({(1, (FIRST - date(1970, 1, 1)).days): 1})
        store.writer._commit(late, [])
        store.writer._ledger.settle()
    assert task.result()
    assert store.is_derived(0)
    assert store.pages() == {"/": (2, 2, 2), "/late": (1, 1, 1)}


def test_a_failed_append_leaves_right_answers_and_its_repetition_takes_the_mark(store: Store) -> None:
    store.add(event(0), event(1))
    store.derive(0, 0)
    with pytest.raises(StoreUnavailable):
        store.add(msgspec.structs.replace(event(0, visitor=2), scroll_depth=1_000))  # more than its column holds
    assert not store.is_derived(0)
    assert store.pages() == {"/": (2, 2, 2)}
    assert store.rows("SELECT count(*) FROM derived_days") == [(1,)]
    store.visits.forget()
    store.add(event(0, visitor=2))
    assert store.pages() == {"/": (3, 3, 3)}
    assert store.rows("SELECT count(*) FROM derived_days") == [(0,)]


def test_marks_outlive_the_process_and_so_does_their_loss(tmp_path: Path) -> None:
    store = Store(tmp_path / "events.duckdb")
    store.add(event(0), event(1), event(2))
    store.derive(0, 1)
    store.add(event(1, page="/late", visitor=2))
    store.close()
    store = Store(tmp_path / "events.duckdb")
    assert store.is_derived(0)
    assert not store.is_derived(1)
    assert store.pages() == {"/": (3, 3, 3), "/late": (1, 1, 1)}
    store.close()


def test_a_store_reopened_after_a_failure_knows_its_days(store: Store) -> None:
    store.add(event(0), event(1), event(2))
    store.derive(0, 1)
    store.database.reopen()
    assert store.is_derived(0)
    assert store.is_derived(1)
    assert store.derive(2, 2)  # with connections of the reopened database


def test_a_file_from_before_derived_days_gets_the_tables_and_no_derived_day(tmp_path: Path) -> None:
    store = Store(tmp_path / "events.duckdb")
    store.add(event(0), event(1))
    store.close()
    with duckdb.connect(str(tmp_path / "events.duckdb")) as old:
        for table in ("derived_days", "visits", "rollups", "derived_format"):
            old.execute(f"DROP TABLE {table}")
    store = Store(tmp_path / "events.duckdb")
    assert store.database.derived(ONE.id) == NOTHING_DERIVED
    assert store.pages() == {"/": (2, 2, 2)}
    assert store.derive(0, 0)
    assert store.pages() == {"/": (2, 2, 2)}
    store.close()


def test_days_derived_by_another_version_are_derived_anew(tmp_path: Path) -> None:
    store = Store(tmp_path / "events.duckdb")
    store.add(event(0), event(1))
    store.derive(0, 0)
    store.close()
    with duckdb.connect(str(tmp_path / "events.duckdb")) as other:
        other.execute("UPDATE derived_format SET format = 0")
        other.execute("ALTER TABLE visits DROP COLUMN is_only")
    store = Store(tmp_path / "events.duckdb")
    assert not store.is_derived(0)
    assert store.pages() == {"/": (2, 2, 2)}
    assert store.derive(0, 0)
    store.close()


def test_the_job_derives_what_is_over_and_says_how_far_it_is(store: Store) -> None:
    clock = ManualClock()
    store.add(*[event(day) for day in range(10)])
    job = Derivation(store.deriver, clock, quiet_s=0)
    while job.step():
        pass
    figures = job.figures()
    assert (figures.days_waiting, figures.groups_total, figures.failures_total) == (0, 1, 0)
    assert all(store.is_derived(day) for day in range(9))
    assert not store.is_derived(9)
    assert store.pages() == {"/": (10, 10, 10)}


def test_the_job_finds_what_was_stored_before_it_began(tmp_path: Path) -> None:
    store = Store(tmp_path / "events.duckdb")
    store.add(event(0), event(1), event(3))
    store.close()
    store = Store(tmp_path / "events.duckdb")
    job = Derivation(store.deriver, ManualClock(), quiet_s=0)
    assert job.step()
    assert not job.step()
    assert store.is_derived(0)
    assert not store.is_derived(3)
    store.close()


def test_deleting_a_site_leaves_nothing_of_it_and_all_of_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (("rollups", "day", 1), ("visits", "day", 2), ("events", "position", 3))
    monkeypatch.setattr("turnout.store.duckdb.derive._CLEARED", steps)
    store.add(*[event(day, visitor=who, site=site) for day in range(4) for who in range(2) for site in (ONE, TWO)])
    store.derive(0, 2, ONE)
    store.derive(0, 2, TWO)
    expected = store.pages()
    store.deriver.delete_site(TWO.id)
    for table in ("events", "visits", "rollups", "derived_days"):
        assert store.rows(f"SELECT count(*) FROM {table} WHERE site_id = 2") == [(0,)], table
    assert store.database.derived(TWO.id) == NOTHING_DERIVED
    assert store.pages() == expected
    assert store.is_derived(2)
    store.deriver.delete_site(TWO.id)
    store.add(event(0, site=TWO))
    assert not store.is_derived(0, TWO)


def test_a_site_deleted_while_its_days_are_derived_stays_deleted(store: Store) -> None:
    store.add(event(0), event(1))

    def forget() -> None:
        with store.deriver._ledger.mutex:
            store.deriver._ledger.forget(ONE.id)

    assert not store.deriver.derive(days_after(0, 0), before_commit=forget)


def test_a_derivation_that_is_interrupted_leaves_its_days_as_they_were(store: Store) -> None:
    store.add(event(0), event(1))
    store.deriver.interrupt()
    with pytest.raises(StoreUnavailable, match="closing"):
        store.derive(0, 0)
    assert not store.is_derived(0)
    assert store.rows("SELECT count(*) FROM visits") == [(0,)]


def test_a_job_whose_store_fails_says_so_and_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(event(0), event(1))
    job = Derivation(store.deriver, ManualClock(), quiet_s=0)
    with monkeypatch.context() as broken:
        broken.setattr("turnout.store.duckdb.derive._MARKS", "SELECT nothing FROM nowhere")
        with pytest.raises(StoreUnavailable, match="nowhere"):
            job.step()
    assert not store.is_derived(0)
    assert job.step()
    assert store.is_derived(0)
    assert store.rows("SELECT count(*) FROM visits") == [(1,)]


def test_no_days_are_derived_where_the_disk_is_nearly_full(tmp_path: Path) -> None:
    database = EventDatabase(tmp_path / "events.duckdb", derive_floor_bytes=1 << 60)
    with pytest.raises(StoreUnavailable, match="free some space"):
        database.deriver().derive(days_after(0, 0))
    database.close()


def visitors_by_day(store: Store, *spans: tuple[Site, int, int]) -> dict[SiteId, list[int]]:
    asked = [(site, Days(FIRST + timedelta(days=a), FIRST + timedelta(days=b))) for site, a, b in spans]
    return asyncio.run(store.runner.visitors_by_day(asked))


def test_visitors_by_day_of_many_sites_are_the_same_whatever_is_derived(store: Store) -> None:
    for day, one, two in ((0, 1, 3), (1, 2, 0), (3, 4, 1), (4, 1, 2), (5, 0, 7)):
        store.add(*[event(day, visitor=who) for who in range(one)])
        store.add(*[event(day, hour, visitor=who, site=TWO) for who in range(two) for hour in (1, 23)])
    expected = {1: [1, 2, 0, 4, 1], 2: [0, 0, 1, 2, 7]}
    for derive in [
        lambda: None,
        lambda: store.derive(0, 3),
        lambda: store.derive(1, 4, TWO),
        lambda: store.derive(4, 5),
    ]:
        derive()
        assert visitors_by_day(store, (ONE, 0, 4), (TWO, 1, 5)) == expected
    store.add(event(1, visitor=9), event(1, visitor=9, site=TWO))
    assert visitors_by_day(store, (ONE, 0, 4), (TWO, 1, 5)) == {1: [1, 3, 0, 4, 1], 2: [1, 0, 1, 2, 7]}
    assert visitors_by_day(store) == {}


def test_first_day_is_the_same_whatever_is_derived(store: Store) -> None:
    def first_day() -> date | None:
        return asyncio.run(store.runner.first_day(ONE))

    assert first_day() is None
    store.add(event(2), event(4), event(6))
    assert first_day() == FIRST + timedelta(days=2)
    store.derive(2, 4)
    assert first_day() == FIRST + timedelta(days=2)
    store.add(event(0, visitor=2))
    assert first_day() == FIRST
    store.derive(0, 0)
    assert first_day() == FIRST


def test_visitors_now_are_those_with_an_event_since_then(store: Store) -> None:
    store.add(event(0, 10, visitor=1), event(0, 11, visitor=2), event(0, 11.5, visitor=3), event(0, 11.6, visitor=3))
    since = datetime(FIRST.year, FIRST.month, FIRST.day, 11, tzinfo=UTC)
    assert asyncio.run(store.runner.visitors_now(ONE, since)) == 2
    assert asyncio.run(store.runner.visitors_now(ONE, since + timedelta(hours=2))) == 0
    assert asyncio.run(store.runner.visitors_now(TWO, since)) == 0


class Crowd:
    """A bustle that a test ends; it counts how often it was asked."""

    def __init__(self) -> None:
        self.is_there = True
        self.asked = 0

    def is_busy(self) -> bool:
        self.asked += 1
        return self.is_there


def test_no_day_is_derived_while_others_are_served(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnout.jobs.giving_way.give_way.__defaults__", (3600.0,))
    store.add(event(0), event(1), event(2))
    job, crowd = Derivation(store.deriver, quiet_s=0), Crowd()
    job.bustle = crowd
    worker = Worker("derive", job.run)
    worker.start()
    until(lambda: crowd.asked >= 5, "it to look whether others are served")
    assert not store.is_derived(0)
    crowd.is_there = False
    until(lambda: store.is_derived(0) and store.is_derived(1), "the days to be derived")
    assert job.figures().gave_way_s > 0
    worker.stop(30)
