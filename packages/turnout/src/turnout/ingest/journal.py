"""The journal: every accepted event, durable and in one total order, until the event store has it.

SQLite in WAL mode with synchronous=FULL: a commit returns after the write-ahead log is on the disk. One row is one
group commit, so thousands of events cost one sync. Positions only rise, also after everything has been trimmed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from hashlib import blake2b
from pathlib import Path

import msgspec

from seawall import Mutex
from seawall.clock import SYSTEM_CLOCK, Clock
from turnout.errors import JournalCorrupt, JournalFull, StoreUnavailable
from turnout.model.event import Event

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    first_position INTEGER PRIMARY KEY,
    count          INTEGER NOT NULL,
    at_s           REAL    NOT NULL,
    checksum       BLOB    NOT NULL,
    body           BLOB    NOT NULL
);
CREATE TABLE IF NOT EXISTS mark (id INTEGER PRIMARY KEY CHECK (id = 1), last_position INTEGER NOT NULL);
INSERT OR IGNORE INTO mark VALUES (1, 0);
"""

BUSY_S = 10.0
"""How long SQLite waits for another program that has the file open (a backup, an operator's shell)."""

VACUUM_PAGES = 2_000
"""Free pages given back to the disk at one idle moment; about 8 MB, some milliseconds."""


class JournalFigures(msgspec.Struct, frozen=True):
    """How much waits to be stored: events, the age of the oldest, and what the journal takes on the disk."""

    depth_events: int
    age_s: float
    size_bytes: int


class Journal:
    """An opened journal file. `append` is for one thread (the batcher's), `read` and `trim` for another (the writer's).

    `max_bytes` caps what waits in it, `disk_floor_bytes` is what it leaves free on its disk; at either, `append`
    raises `JournalFull` before anything is accepted. Opening raises `JournalCorrupt` when the file or its last batch
    is damaged and `StoreUnavailable` when it can't be opened. `not_before` is a position the store already has: the
    next one is above it even where the file was lost.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int,
        disk_floor_bytes: int,
        clock: Clock = SYSTEM_CLOCK,
        not_before: int = 0,
        in_turn: bool = True,
        on_append: Callable[[], object] = lambda: None,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._disk_floor_bytes = disk_floor_bytes
        self._clock = clock
        self.on_append = on_append
        # Append and trim both write, and SQLite has no fair queue of its own. `in_turn` is False in the lab alone.
        self._mutex: Mutex | AbstractContextManager[None] = Mutex("journal") if in_turn else nullcontext()
        self._oldest_at_s: float | None = None  # for figures only
        self._trimmed = not_before
        try:
            self._appending = self._connect("FULL")
            self._reading = self._connect("NORMAL")  # a trim that is lost is done again
            self._last_position = max(self._marked(), not_before)
            self._check_last()
        except sqlite3.Error as error:
            raise self._told(error, "opened") from error

    @property
    def last_position(self) -> int:
        """The position of the last event accepted; 0 before the first."""
        return self._last_position

    def append(self, events: Sequence[Event]) -> None:
        """Make the events durable, all or none, and give them the next positions. Blocks for a disk sync.

        Raises `JournalFull` at the size cap, the disk floor or a full disk, and `StoreUnavailable` where the file
        can't be written; nothing was accepted then.
        """
        if not events:
            return
        body = _ENCODER.encode(events)
        with self._mutex:
            try:
                self._refuse_when_full(len(body))
                first = self._last_position + 1
                last = self._last_position + len(events)
                at_s = self._clock.time()
                row = (first, len(events), at_s, _checksum(first, len(events), body), body)
                self._appending.execute("BEGIN IMMEDIATE")
                self._appending.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", row)
                self._appending.execute("UPDATE mark SET last_position = ?", (last,))
                self._appending.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo(self._appending)
                raise self._told(error, "written") from error
            if self._oldest_at_s is None:
                self._oldest_at_s = at_s
            self._last_position = last
        self.on_append()

    def read(self, after_position: int, limit_events: int) -> list[tuple[int, Event]]:
        """The events after a position with theirs, in order: whole batches until there are `limit_events` or more.

        Raises `JournalCorrupt` when a batch fails its checksum (those before it are returned first).
        """
        events: list[tuple[int, Event]] = []
        try:
            cursor = self._reading.execute(_READ, (after_position,))
            for first, count, at_s, checksum, body in cursor:
                if checksum != _checksum(first, count, body):
                    if events:
                        break
                    raise self._corrupt(first, count)
                if not events:
                    self._oldest_at_s = at_s
                batch = _DECODER.decode(body)
                events += [(p, e) for p, e in enumerate(batch, first) if p > after_position]
                if len(events) >= limit_events:
                    break
            cursor.close()
        except sqlite3.Error as error:
            raise self._told(error, "read") from error
        return events

    def trim(self, up_to: int) -> None:
        """Forget batches that are wholly at or before a position. Call only once the store has committed them."""
        try:
            with self._mutex:
                self._reading.execute(
                    "DELETE FROM batches WHERE first_position <= ?1 AND first_position + count - 1 <= ?1", (up_to,)
                )
                self._trimmed = max(self._trimmed, up_to)
                if up_to >= self._last_position:
                    self._oldest_at_s = None
        except sqlite3.Error as error:
            raise self._told(error, "trimmed") from error

    def shrink(self) -> None:
        """Give some free pages back to the disk. Called when idle; pages are reused before the file grows."""
        try:
            with self._mutex:
                self._reading.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
        except sqlite3.Error as error:
            raise self._told(error, "shrunk") from error

    def figures(self) -> JournalFigures:
        """Depth, age and size now; never blocks."""
        oldest_at_s = self._oldest_at_s
        return JournalFigures(
            depth_events=max(0, self._last_position - self._trimmed),
            age_s=0.0 if oldest_at_s is None else max(0.0, self._clock.time() - oldest_at_s),
            size_bytes=sum(_size(Path(f"{self._path}{suffix}")) for suffix in ("", "-wal")),
        )

    def close(self) -> None:
        """Close the file. Nothing may be appended any more."""
        self._reading.close()
        self._appending.close()

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        if synchronous == "FULL":
            connection.executescript(SCHEMA)
        return connection

    def _marked(self) -> int:
        return int(self._appending.execute("SELECT last_position FROM mark").fetchone()[0])

    def _check_last(self) -> None:
        row = self._reading.execute(
            "SELECT first_position, count, checksum, body FROM batches ORDER BY first_position DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return
        first, count, checksum, body = row
        if checksum != _checksum(first, count, body):
            raise self._corrupt(first, count)

    def _refuse_when_full(self, more_bytes: int) -> None:
        used = self._pragma("page_count") - self._pragma("freelist_count")
        used_bytes = used * self._pragma("page_size")
        if used_bytes + more_bytes > self._max_bytes:
            raise JournalFull(
                f"the journal {self._path} holds {used_bytes >> 20} MB of events not yet stored, its cap is "
                f"{self._max_bytes >> 20} MB (journal_max_mb); look why the event store is behind"
            )
        disk = os.statvfs(self._path.parent)
        free_bytes = disk.f_bavail * disk.f_frsize
        # A batch is written twice: to the log now, to the file at SQLite's next checkpoint.
        if free_bytes - 2 * more_bytes < self._disk_floor_bytes:
            raise JournalFull(
                f"the disk of {self._path} has {free_bytes >> 20} MB free, the floor is "
                f"{self._disk_floor_bytes >> 20} MB (disk_free_floor_mb); free some space"
            )

    def _pragma(self, name: str) -> int:
        return int(self._appending.execute(f"PRAGMA {name}").fetchone()[0])

    def _undo(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # SQLite has rolled back by itself; the caller raises what happened.

    def _told(self, error: sqlite3.Error, verb: str) -> StoreUnavailable | JournalCorrupt:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return JournalFull(f"the disk of {self._path} is full; free some space")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return JournalCorrupt(
                f"the journal {self._path} is damaged ({error}). Stop the server, keep a copy of the file and its "
                "-wal, and restore it from a backup; events in it that are not yet stored are lost otherwise"
            )
        return StoreUnavailable(f"the journal {self._path} can't be {verb}: {error}")

    def _corrupt(self, first: int, count: int) -> JournalCorrupt:
        return JournalCorrupt(
            f"the journal {self._path} holds a damaged batch: positions {first} to {first + count - 1} fail their "
            f"checksum. Nothing from there on is stored. Stop the server and keep a copy of the file; then either "
            f"restore it from a backup, or give up exactly these {count} events with: sqlite3 {self._path} "
            f"'DELETE FROM batches WHERE first_position = {first}'"
        )


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Event])

_READ = """
SELECT first_position, count, at_s, checksum, body FROM batches
WHERE first_position + count - 1 > ? ORDER BY first_position
"""


def _checksum(first: int, count: int, body: bytes) -> bytes:
    return blake2b(body, digest_size=8, salt=first.to_bytes(8, "big") + count.to_bytes(8, "big")).digest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
