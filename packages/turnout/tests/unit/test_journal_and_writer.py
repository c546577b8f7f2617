"""The journal's order and promises, and the writer that empties it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seawall import Worker
from seawall.testing import ManualClock
from turnout.errors import JournalFull, StoreUnavailable
from turnout.ingest.journal import Journal
from turnout.ingest.writer import Writer
from turnout.model.event import Event, StoredEvent
from turnout.store.duckdb.database import EventDatabase
from turnout.store.protocols import OpenVisit


def event(number: int) -> Event:
    texts = ["", "", "Direct", "", "", "", "", "", "DE", "", "", "Desktop", "Firefox", "140", "GNU/Linux", "", "de"]
    at_ms = 1_750_000_000_000 + number
    props = {"größe": "🦊"}
    return Event(
        1, at_ms, at_ms, 2**64 - 1, "pageview", True, "e.org", f"/{number}", *texts, props, None, None, None, None
    )


def opened(path: Path, **more: int) -> Journal:
    return Journal(path / "journal.db", max_bytes=1 << 30, disk_floor_bytes=0, **more)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    it = opened(tmp_path)
    yield it
    it.close()


def test_events_come_back_as_they_were_with_rising_positions(journal: Journal) -> None:
    journal.append([event(1), event(2)])
    journal.append([event(3)])
    assert journal.read(0, 10) == [(1, event(1)), (2, event(2)), (3, event(3))]
    assert journal.read(1, 1) == [(2, event(2))]
    assert journal.read(3, 10) == []


def test_positions_go_on_rising_after_everything_is_trimmed_and_reopened(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append([event(1), event(2)])
    journal.trim(2)
    journal.close()
    journal = opened(tmp_path)
    assert journal.last_position == 2
    journal.append([event(3)])
    assert journal.read(0, 10) == [(3, event(3))]
    journal.close()


def test_a_lost_journal_begins_above_what_the_store_has(tmp_path: Path) -> None:
    journal = opened(tmp_path, not_before=41)
    journal.append([event(1)])
    assert journal.read(41, 10) == [(42, event(1))]
    journal.close()


def test_trim_forgets_only_whole_batches(journal: Journal) -> None:
    journal.append([event(1), event(2)])
    journal.append([event(3)])
    journal.trim(1)
    assert [p for p, _ in journal.read(0, 10)] == [1, 2, 3]
    journal.trim(2)
    assert [p for p, _ in journal.read(0, 10)] == [3]


def test_the_file_does_not_grow_while_events_come_and_go(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    sizes = []
    for round_ in range(60):
        journal.append([event(i) for i in range(500)])
        journal.trim(journal.last_position)
        if round_ in (20, 59):
            sizes.append(journal.figures().size_bytes)
    assert sizes[1] <= sizes[0] + (1 << 20)
    journal.close()


def test_figures_tell_depth_and_the_age_of_the_oldest(tmp_path: Path) -> None:
    clock = ManualClock()
    journal = Journal(tmp_path / "journal.db", max_bytes=1 << 30, disk_floor_bytes=0, clock=clock)
    journal.append([event(1), event(2)])
    clock.advance(7)
    assert (journal.figures().depth_events, journal.figures().age_s) == (2, 7.0)
    journal.trim(2)
    assert (journal.figures().depth_events, journal.figures().age_s) == (0, 0.0)
    journal.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(st.integers(1, 5), st.sampled_from(["trim", "reopen"])), max_size=20))
def test_no_mix_of_appends_trims_and_restarts_loses_or_reorders(
    steps: list[int | str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    journal = opened(directory)
    count = 0
    taken: list[int] = []
    for step in steps:
        if step == "reopen":
            journal.close()
            journal = opened(directory)
        elif step == "trim":
            batch = journal.read(len(taken), 3)
            taken += [e.at_ms - 1_750_000_000_000 for _, e in batch]
            journal.trim(len(taken))
        else:
            journal.append([event(count + i) for i in range(int(step))])
            count += int(step)
    taken += [e.at_ms - 1_750_000_000_000 for _, e in journal.read(len(taken), 1_000)]
    assert taken == list(range(count))
    journal.close()


class FlakyStore:
    """The real store, which fails so many times before it works, as one whose disk is full for a while."""

    def __init__(self, database: EventDatabase, failures: int) -> None:
        self._store = database.writer()
        self.failures = failures

    def position(self) -> int:
        return self._store.position()

    def append(self, rows: Sequence[StoredEvent]) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise StoreUnavailable("the disk is full")
        self._store.append(rows)

    def open_visits(self, site_id: int, since_ms: int) -> list[OpenVisit]:
        return self._store.open_visits(site_id, since_ms)

    def checkpoint(self) -> None:
        self._store.checkpoint()


def test_a_store_that_fails_for_a_while_gets_everything_in_order(journal: Journal) -> None:
    database = EventDatabase(Path(":memory:"))
    writer = Writer(journal, FlakyStore(database, 3))
    worker = Worker("test-writer", writer.run)
    journal.on_append = worker.wake
    worker.start()
    for i in range(30):
        journal.append([event(i)])
    worker.stop(timeout_s=20)
    failures = worker.statistics().failures_total
    # Whatever the stop cut off is stored by the next start.
    rest = Writer(journal, database.writer())
    while rest.step():
        pass
    assert failures >= 1
    assert writer.figures().failures_total == failures
    found = database.connect().execute("SELECT list(position ORDER BY position), count(DISTINCT visit_id) FROM events")
    assert found.fetchone() == (list(range(1, 31)), 1)
    database.close()


def test_stop_stores_what_was_accepted_before_it(journal: Journal) -> None:
    database = EventDatabase(Path(":memory:"))
    writer = Writer(journal, database.writer())
    worker = Worker("test-writer", writer.run)
    journal.on_append = worker.wake
    worker.start()
    for i in range(20):
        journal.append([event(i)])
    worker.stop(timeout_s=20)
    assert writer.position == 20
    assert writer.figures().lag_events == 0
    assert journal.figures().depth_events == 0
    database.close()


def test_a_refused_batch_takes_no_position(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", max_bytes=60_000, disk_floor_bytes=0)
    journal.append([event(1)])
    with pytest.raises(JournalFull, match="journal_max_mb"):
        journal.append([event(i) for i in range(2_000)])
    journal.append([event(2)])
    assert [p for p, _ in journal.read(0, 10)] == [1, 2]
    journal.close()
