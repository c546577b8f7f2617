"""A full disk, an unwritable store, a damaged journal: refused clearly, and nothing acknowledged is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from turnout.errors import JournalCorrupt, JournalFull, StoreUnavailable
from turnout.ingest.journal import Journal
from turnout.ingest.writer import Writer
from turnout.model.event import Event
from turnout.store.duckdb.database import EventDatabase


def event(number: int) -> Event:
    texts = ["", "", "Direct", "", "", "", "", "", "DE", "", "", "Desktop", "Firefox", "140", "GNU/Linux", "", "de"]
    at_ms = 1_750_000_000_000 + number
    page = f"/{number}/{os.urandom(200).hex()}"
    return Event(1, at_ms, at_ms, number, "pageview", True, "e.org", page, *texts, {}, None, None, None, None)


def open_journal(path: Path, max_bytes: int = 1 << 30) -> Journal:
    return Journal(path / "journal.db", max_bytes=max_bytes, disk_floor_bytes=0)


def fill(journal: Journal) -> int:
    """Append until it is refused; how many events were accepted."""
    for _ in range(10_000):
        try:
            journal.append([event(journal.last_position + 1 + i) for i in range(200)])
        except JournalFull:
            return journal.last_position
    raise AssertionError("the journal took everything")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root and leave to mount a tmpfs; no other full disk can be had without them")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_refuses_events_and_loses_none(small_disk: Path) -> None:
    database = EventDatabase(small_disk / "events.duckdb")
    journal = open_journal(small_disk)
    accepted = fill(journal)
    writer = Writer(journal, database.writer())
    with pytest.raises(StoreUnavailable, match="can't be written"):
        writer.step()
    assert writer.position == 0

    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    writer = Writer(journal, database.writer())
    while writer.step():
        pass
    journal.append([event(accepted + 1)])
    while writer.step():
        pass
    found = database.connect().execute("SELECT count(*), count(DISTINCT position), max(position) FROM events")
    assert found.fetchone() == (accepted + 1, accepted + 1, accepted + 1)
    journal.close()
    database.close()


def stored_but_for_room(disk: Path, leave_bytes: int) -> tuple[EventDatabase, Journal]:
    """5,000 events stored and not checkpointed, and a disk with so much room left."""
    database = EventDatabase(disk / "events.duckdb")
    journal = open_journal(disk)
    writer = Writer(journal, database.writer())
    for _ in range(5):
        journal.append([event(journal.last_position + 1 + i) for i in range(1_000)])
        writer.step()
    room = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize - leave_bytes))
    return database, journal


def test_a_checkpoint_without_room_is_not_tried(small_disk: Path) -> None:
    database, journal = stored_but_for_room(small_disk, 8_192)
    with pytest.raises(StoreUnavailable, match="free some space"):
        database.writer().checkpoint()
    assert database.writer().position() == 5_000
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    database.writer().checkpoint()
    journal.close()
    database.close()


def test_a_database_that_duckdb_gave_up_is_opened_anew_and_has_lost_nothing(small_disk: Path) -> None:
    database, journal = stored_but_for_room(small_disk, 8_192)
    with pytest.raises(duckdb.Error):
        database.connect().execute("CHECKPOINT")
    with pytest.raises(StoreUnavailable, match="invalidated"):
        database.writer().open_visits(1, 0)
    (small_disk / "ballast").unlink()
    journal.append([event(5_001)])
    writer = Writer(journal, database.writer())
    while writer.step():
        pass
    assert database.connect().execute("SELECT count(*) FROM events").fetchone() == (5_001,)
    journal.close()
    database.close()


def test_the_size_cap_refuses_and_opens_again_once_events_are_stored(tmp_path: Path) -> None:
    database = EventDatabase(tmp_path / "events.duckdb")
    journal = open_journal(tmp_path, max_bytes=1 << 20)
    accepted = fill(journal)
    assert accepted > 0
    writer = Writer(journal, database.writer())
    while writer.step():
        pass
    journal.append([event(accepted + 1)])
    assert journal.last_position == accepted + 1
    assert (tmp_path / "journal.db").stat().st_size < 2 << 20
    journal.close()
    database.close()


def test_the_disk_floor_refuses(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", max_bytes=1 << 30, disk_floor_bytes=1 << 60)
    with pytest.raises(JournalFull, match="disk_free_floor_mb"):
        journal.append([event(1)])
    assert journal.last_position == 0
    assert journal.read(0, 10) == []
    journal.close()


def damage(path: Path, first_position: int) -> None:
    with sqlite3.connect(path / "journal.db") as connection:
        connection.execute(
            "UPDATE batches SET body = CAST(replace(CAST(body AS TEXT), 'e.org', 'x.org') AS BLOB) "
            "WHERE first_position = ?",
            (first_position,),
        )
    connection.close()


def test_a_damaged_last_batch_is_told_at_start_with_what_to_do(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append([event(1)])
    journal.append([event(2), event(3)])
    journal.close()
    damage(tmp_path, 2)
    with pytest.raises(
        JournalCorrupt, match=r"journal\.db holds a damaged batch: positions 2 to 3.*DELETE FROM batches"
    ):
        open_journal(tmp_path)


def test_a_damaged_middle_batch_stops_the_writer_before_it(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for number in (1, 2, 3):
        journal.append([event(number)])
    journal.close()
    damage(tmp_path, 2)
    journal = open_journal(tmp_path)
    assert [position for position, _ in journal.read(0, 100)] == [1]
    with pytest.raises(JournalCorrupt, match="positions 2 to 2"):
        journal.read(1, 100)
    journal.close()


def test_a_file_that_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is no database, and long enough to be taken for one" * 50)
    with pytest.raises(JournalCorrupt, match="is damaged"):
        open_journal(tmp_path)


def test_a_directory_in_place_of_the_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "events.duckdb").mkdir()
    with pytest.raises(StoreUnavailable, match=r"events\.duckdb can't be opened"):
        EventDatabase(tmp_path / "events.duckdb")
