"""Leases in PostgreSQL (14 or later), in rows; and its fence. Needs psycopg 3.2 or later: `pip install psycopg`.

Sources: the manual's pages on `INSERT … ON CONFLICT`, explicit locking and transaction isolation.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from importlib.resources import files
from math import ceil
from typing import Any, TypeVar, cast

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen

from seawall.clock import SYSTEM_CLOCK
from seawall.core.lease_table import Answer, Claim, Granted, Refused
from seawall.dist.store import Store
from seawall.errors import Misuse, StaleToken, StoreUnavailable

T = TypeVar("T")

SCHEMA = files("seawall.dist").joinpath("postgresql.sql").read_text(encoding="utf-8")
"""The SQL that a database needs once, for whoever would rather run it as a migration than by `install()`."""

STALE = "SW001"
"""The SQLSTATE with which `seawall.pass_fence` refuses a stale token, for other drivers and languages."""


class PostgresqlStore(Store):
    """Leases as rows of the database at `conninfo` (a libpq connection string or URL). The usual flavour.

    First come, first served. What is held survives a restart of the server and lasts until its ttl; tokens rise also
    over a crash (each is committed with `synchronous_commit` on before it is given out) and, by the server's clock, over
    a fail-over or an older backup. Times are the server's: a clock there that jumps ahead ends leases early, and the
    fence is what helps then. Works through a pooler in transaction mode where that allows `SET`.

    The database needs `install()` once. Connections are the store's own, since a round trip has to end in `timeout_s`.
    """

    def __init__(
        self, conninfo: str, *, name: str = "postgresql", timeout_s: float = 1.0, max_connections: int = 4
    ) -> None:
        self._connect: Callable[[], Connection] = lambda: Connection.open(conninfo, name, timeout_s)
        super().__init__(name, lambda: Rows(self._connect()), timeout_s=timeout_s, max_connections=max_connections)

    def install(self) -> None:
        """Make the schema `seawall` with its tables and functions, or bring them up to date. Blocks.

        Raises StoreUnavailable. Needs the right to create a schema.
        """
        install(self._connect)


class Connection:
    """One connection in autocommit mode, each of whose statements ends in `timeout_s` seconds, one way or the other."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], store: str) -> None:
        self._connection = connection
        self._store = store

    @classmethod
    def open(cls, conninfo: str, store: str, timeout_s: float) -> Connection:
        """Connect. Raises StoreUnavailable."""
        try:
            made = _Bounded.connect(conninfo, autocommit=True, connect_timeout=ceil(timeout_s) + 1)
        except psycopg.Error as error:
            raise StoreUnavailable(store, str(error)) from error
        made.timeout_s = timeout_s
        connection = cls(made, store)
        # A token must never be given out and then forgotten in a crash; a stricter setting than `on` is left alone.
        connection.execute(
            "SELECT set_config('default_transaction_isolation', 'read committed', false), "
            "CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')"
            " THEN set_config('synchronous_commit', 'on', false) END"
        )
        return connection

    def execute(self, statement: str, *arguments: object) -> tuple[Any, ...]:
        """Its first row. Raises StoreUnavailable, or Misuse where the schema is missing."""
        try:
            row = self._connection.execute(cast("Any", statement), arguments).fetchone()
        except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
            raise Misuse(f"store {self._store}: the database lacks the schema `seawall`; call install() once") from error
        except psycopg.Error as error:
            self.close()
            raise StoreUnavailable(self._store, str(error)) from error
        except BaseException:
            self.close()  # interrupted in the middle of an answer
            raise
        return row or ()

    def run_script(self, script: str) -> None:
        """All statements of `script` in one transaction. Raises StoreUnavailable."""
        try:
            self._connection.execute(cast("Any", script))
        except psycopg.Error as error:
            raise StoreUnavailable(self._store, str(error)) from error

    def close(self) -> None:
        """End it. Never raises, never blocks."""
        self._connection.close()


class _Bounded(psycopg.Connection[tuple[Any, ...]]):
    """psycopg waits for an answer without end, and a server that is paused or cut off sends none."""

    timeout_s = 10.0

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        until_s = SYSTEM_CLOCK.monotonic() + self.timeout_s
        return waiting.wait(self._until(gen, until_s), self.pgconn.socket, interval=min(0.1, self.timeout_s / 4))

    def _until(self, gen: PQGen[T], until_s: float) -> Generator[waiting.Wait, waiting.Ready | int, T]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and SYSTEM_CLOCK.monotonic() >= until_s:
                    self.close()
                    raise psycopg.OperationalError(f"no answer in {self.timeout_s:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            return cast("T", done.value)


class Rows:
    """See `dist.session.Session`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, claim: Claim) -> Answer:
        """See there, as for all below."""
        token, slot, place = self._connection.execute(
            "SELECT * FROM seawall.ask(%s, %s, %s, %s, %s, %s)",
            claim.name,
            claim.holder,
            claim.permits,
            claim.ttl_s,
            claim.waits,
            claim.place_s,
        )
        return Refused(place) if token is None else Granted(token, slot)

    def renew(self, claim: Claim) -> bool:  # noqa: D102 - as `ask`
        row = self._connection.execute("SELECT seawall.renew(%s, %s, %s)", claim.name, claim.holder, claim.ttl_s)
        return bool(row[0])

    def leave(self, claim: Claim) -> bool:  # noqa: D102
        return bool(self._connection.execute("SELECT seawall.leave(%s, %s)", claim.name, claim.holder)[0])

    def spend(self, name: str, rate_per_s: float, burst: float, cost: float) -> float:  # noqa: D102
        return float(self._connection.execute("SELECT seawall.spend(%s, %s, %s, %s)", name, rate_per_s, burst, cost)[0])

    def close(self) -> None:  # noqa: D102
        self._connection.close()


def install(connect: Callable[[], Connection]) -> None:
    """See `PostgresqlStore.install`."""
    connection = connect()
    try:
        # CREATE … IF NOT EXISTS fails where two run it at the same time; and one message is one transaction.
        connection.run_script("SELECT pg_advisory_xact_lock(hashtextextended('seawall install', 0));" + SCHEMA)
    finally:
        connection.close()


def pass_fence(connection: psycopg.Connection[Any], resource: str, token: int) -> None:
    """Call it first in the transaction that writes to `resource`: raises StaleToken where a newer token has written.

    `resource` is any name that all its writers use, such as `held.resource`; the fence is a row in the database that is
    written to, which needs the schema (`SCHEMA`) and need not be the one that keeps the lease. The row stays locked
    until the transaction ends, so writers come one after the other; blocks for those before. A StaleToken has
    aborted the transaction: nothing of it is written. Raises Misuse in autocommit mode outside of a transaction.

    From elsewhere call `SELECT seawall.pass_fence(resource, token)`, and look for SQLSTATE SW001.
    """
    if connection.autocommit and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        raise Misuse("pass_fence guards the transaction that it is called in; open one: `with connection.transaction():`")
    try:
        connection.execute("SELECT seawall.pass_fence(%s, %s)", (resource, token))
    except psycopg.DatabaseError as error:
        raise _told(error, resource, token) from error


async def pass_fence_async(connection: psycopg.AsyncConnection[Any], resource: str, token: int) -> None:
    """As `pass_fence`, for an asynchronous connection."""
    if connection.autocommit and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        raise Misuse("pass_fence guards the transaction that it is called in; open one: `with connection.transaction():`")
    try:
        await connection.execute("SELECT seawall.pass_fence(%s, %s)", (resource, token))
    except psycopg.DatabaseError as error:
        raise _told(error, resource, token) from error


def _told(error: psycopg.DatabaseError, resource: str, token: int) -> Exception:
    if error.sqlstate != STALE:
        return error
    detail = error.diag.message_detail
    return StaleToken(resource, token, int(detail) if detail else None)
