"""The accounts' SQLite file: many readers, one writer at a time in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from seawall import Mutex
from seawall.clock import SYSTEM_CLOCK
from seawall.observe.server_timing import note_wait
from turnout.errors import NotFound, StoreUnavailable

WRITE_WAIT_S = 10.0
VERSION = "0002"
"""The newest migration. A file that has it is opened without Alembic."""


class AccountsDatabase:
    """An open file, its tables as this version wants them. Its methods block: call them on a thread.

    Writers begin with BEGIN IMMEDIATE behind one FIFO mutex. With deferred transactions 96 % of the attempts of 50 writers
    failed with "database is locked"; with the mutex none does.
    """

    def __init__(self, path: Path, *, in_turn: bool = True) -> None:
        """Opens and migrates. `in_turn` is False in the lab alone. Raises `StoreUnavailable`."""
        self._path = path
        self._rights_version = 0
        self._mutex = Mutex("accounts.write") if in_turn else None
        self._engine = create_engine(f"sqlite:///{path}", pool_size=8, max_overflow=0, pool_timeout=WRITE_WAIT_S)
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        try:
            self._migrate()
        except DBAPIError as error:
            raise StoreUnavailable(f"the accounts in {path} can't be opened: {error.orig}") from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the file. Raises `StoreUnavailable`, `NotFound` for numbers over 64 bits."""
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @property
    def rights_version(self) -> int:
        """Another one after each transaction that may have changed who may do what: what was read before holds no more."""
        return self._rights_version

    @contextmanager
    def write(self, *, keeps_rights: bool = False) -> Iterator[Connection]:
        """A transaction, committed when the block ends and rolled back when it raises. Raises as `read` does.

        `keeps_rights`: it changes no user, organisation, membership, site or guest.
        """
        if self._mutex is not None:
            self._mutex.acquire(timeout_s=WRITE_WAIT_S)
        try:
            with (
                self._translated(),
                self._engine.connect().execution_options(turnout_writes=self._mutex is not None) as connection,
                connection.begin(),
            ):
                yield connection
        finally:
            if not keeps_rights:
                self._rights_version += 1
            if self._mutex is not None:
                self._mutex.release()

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        began_s = SYSTEM_CLOCK.monotonic()
        try:
            yield
        except IntegrityError:
            raise  # for the repository, which knows what it means
        except OverflowError:
            raise NotFound("there is no such thing") from None  # a number from a path that no row can have
        except DBAPIError as error:
            raise StoreUnavailable(f"the accounts in {self._path} can't be used: {error.orig}") from error
        finally:
            note_wait("db.accounts", SYSTEM_CLOCK.monotonic() - began_s)

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            version = _version(connection)
        if version is not None and version > VERSION:
            raise StoreUnavailable(
                f"the accounts in {self._path} are of version {version}; this Turnout knows versions "
                f"up to {VERSION}. Run the Turnout that wrote them, or a later one"
            )
        if version != VERSION:
            # Alembic is 9 MB in memory that a server never needs again, and a fifth of a second of its start.
            from turnout.store.sql.migrations.upgrade import upgrade

            with self._engine.connect().execution_options(turnout_writes=True) as connection:
                upgrade(connection)
                connection.commit()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _prepare(connection: SQLiteConnection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("turnout_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
