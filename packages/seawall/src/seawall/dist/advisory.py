"""Leases as PostgreSQL's advisory locks: they last as long as a connection, not for a time. Needs psycopg 3.2 or later.

Source: the manual's page on explicit locking, advisory locks.
"""

from __future__ import annotations

from collections.abc import Callable

from seawall.clock import SYSTEM_CLOCK
from seawall.core.lease_table import Answer, Claim, Granted, Refused
from seawall.dist.postgresql import Connection, Rows, install
from seawall.dist.store import Store
from seawall.errors import DeadlineExceeded, StoreUnavailable
from seawall.locks.semaphore import Semaphore
from seawall.runtime.deadline import remaining_s
from seawall.runtime.threads import RawLock


class AdvisoryStore(Store):
    """Leases as advisory locks of the database at `conninfo`, each on a connection of its own while it is held.

    No server clock and no row matters to them, and a process that dies frees them at once. But a holder that is paused,
    or cut off without the server noticing (see `tcp_keepalives_idle` there), keeps them for as long as its connection
    stays; and a server that restarts frees them at once, before their holders can know. So tokens matter here as much.
    The `ttl_s` of a lease is how long its holder goes on without hearing from the server.

    Not first come, first served: who asks first after a release gets it. Does not work through a pooler in transaction
    mode. At most `max_connections` leases are held and asked for at once; more wait for a connection, up to `timeout_s`
    at a time. The database needs `install()` once.
    """

    def __init__(
        self, conninfo: str, *, name: str = "advisory", timeout_s: float = 1.0, max_connections: int = 16
    ) -> None:
        self._connect: Callable[[], Connection] = lambda: Connection.open(conninfo, name, timeout_s)
        super().__init__(name, lambda: Rows(self._connect()), timeout_s=timeout_s, max_connections=4)
        self._permits = Semaphore(f"{name} sessions", max_connections)
        self._guard = RawLock()
        self._idle: list[Connection] = []  # guarded by self._guard, as is all below
        self._holding: dict[str, tuple[Connection, Granted]] = {}
        self._is_closed = False

    def install(self) -> None:
        """See `PostgresqlStore.install`."""
        install(self._connect)

    def ask(self, claim: Claim) -> Answer:
        """See `Store.ask`."""
        with self._guard:
            held = self._holding.get(claim.holder)
        if held is not None:  # an answer that came too late is asked for again
            held[0].execute("SELECT 1")
            return held[1]
        self._take_permit()
        try:
            connection, (token, slot) = self._try_lock(claim)
        except BaseException:
            self._permits.release()
            raise
        if token is None:
            self._put_back(connection)
            return Refused(0)
        granted = Granted(token, slot)
        with self._guard:
            self._holding[claim.holder] = (connection, granted)
        return granted

    def renew(self, claim: Claim) -> bool:
        """See `Store.renew`: whether the connection still stands. One that does not answer in time is given up."""
        with self._guard:
            held = self._holding.get(claim.holder)
        if held is None:
            return False
        try:
            held[0].execute("SELECT 1")
        except StoreUnavailable:
            self._drop(claim)
            return False
        return True

    def leave(self, claim: Claim) -> bool:
        """See `Store.leave`."""
        with self._guard:
            held = self._holding.get(claim.holder)
        if held is None:
            return False
        try:
            (was_held,) = held[0].execute("SELECT pg_advisory_unlock(seawall.slot_key(%s, %s))", claim.name, held[1].slot)
        except StoreUnavailable:
            self._drop(claim)  # the connection is closed, and so the lock was lost or is given up now
            return False
        if self._forget(claim) is not None:
            self._put_back(held[0])
        return bool(was_held)

    def close(self) -> None:
        """See `Store.close`."""
        super().close()
        with self._guard:
            self._is_closed = True
            connections = [*self._idle, *(connection for connection, _ in self._holding.values())]
            self._idle.clear()
            self._holding.clear()
        for connection in connections:
            connection.close()

    def _take_permit(self) -> None:
        try:
            self._permits.acquire(timeout_s=self.timeout_s)
        except DeadlineExceeded as error:
            left_s = remaining_s()
            if left_s is not None and left_s <= 0:
                raise
            raise StoreUnavailable(self.name, "all its connections are in use") from error

    def _try_lock(self, claim: Claim) -> tuple[Connection, tuple[int | None, int]]:
        began_s = SYSTEM_CLOCK.monotonic()
        while True:
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            was_idle = connection is not None
            connection = connection or self._connect()
            try:
                token, slot = connection.execute("SELECT * FROM seawall.try_advisory(%s, %s)", claim.name, claim.permits)
            except StoreUnavailable:  # see `Store._on`
                if not was_idle or SYSTEM_CLOCK.monotonic() - began_s >= self.timeout_s / 2:
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                return connection, (token, slot)

    def _put_back(self, connection: Connection) -> None:
        with self._guard:
            is_kept = not self._is_closed
            if is_kept:
                self._idle.append(connection)
        if not is_kept:
            connection.close()
        self._permits.release()

    def _drop(self, claim: Claim) -> None:
        if self._forget(claim) is not None:
            self._permits.release()

    def _forget(self, claim: Claim) -> tuple[Connection, Granted] | None:
        with self._guard:
            return self._holding.pop(claim.holder, None)

