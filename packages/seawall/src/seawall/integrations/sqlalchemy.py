"""SQLAlchemy's connection pool with Seawall's waiting: fair, named, bounded by deadlines, and in every snapshot."""

from __future__ import annotations

from collections import deque
from typing import Any

from sqlalchemy import exc
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from seawall.core.statistics import SemaphoreStatistics
from seawall.errors import DeadlineExceeded
from seawall.locks.semaphore import Semaphore


class SeawallPool(Pool):
    """In place of `QueuePool`: `create_engine(url, poolclass=SeawallPool, pool_size=5, max_overflow=0)`.

    At most `pool_size + max_overflow` connections are out, first come, first served; up to `pool_size` are kept. A
    thread waits for one for `timeout` seconds (`pool_timeout`) and no longer than its ambient deadline; then
    sqlalchemy.exc.TimeoutError is raised from `DeadlineExceeded`. The pool is a semaphore in Seawall's snapshot, named
    by `pool_logging_name`, or `sqlalchemy`; a `ThreadPool`'s thread that waits for a connection is seen as blocked.

    What differs from `QueuePool`: the wait is fair, the connection given back last is lent first, and no size means
    "without a limit".
    """

    def __init__(
        self, creator: Any, pool_size: int = 5, max_overflow: int = 10, timeout: float = 30.0, **kw: Any
    ) -> None:
        super().__init__(creator, **kw)
        if pool_size < 0 or max_overflow < 0 or pool_size + max_overflow < 1:
            raise exc.ArgumentError("SeawallPool is always bounded: pool_size + max_overflow must be 1 or more")
        self._size = pool_size
        self._max_overflow = max_overflow
        self._timeout = timeout
        self._idle: deque[ConnectionPoolEntry] = deque()
        self._permits = Semaphore(self.logging_name or "sqlalchemy", pool_size + max_overflow)

    def statistics(self) -> SemaphoreStatistics:
        """How many connections may still be had, and who waits for one."""
        return self._permits.statistics()

    def status(self) -> str:
        """The same for people."""
        figures = self.statistics()
        return f"Pool size: {self._size}  out: {figures.permits - figures.free}  idle: {len(self._idle)}"

    def recreate(self) -> SeawallPool:
        """A new, empty pool of the same settings."""
        return type(self)(
            self._creator,
            pool_size=self._size,
            max_overflow=self._max_overflow,
            timeout=self._timeout,
            pre_ping=self._pre_ping,
            recycle=self._recycle,
            echo=self.echo,
            logging_name=self._orig_logging_name,
            reset_on_return=self._reset_on_return,
            _dispatch=self.dispatch,
            dialect=self._dialect,
        )

    def dispose(self) -> None:
        """Close the connections that are not out."""
        while True:
            try:
                self._idle.popleft().close()
            except IndexError:
                return

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            # Not by `with`: a connection may be given back by another thread than took it.
            self._permits.acquire(timeout_s=self._timeout)
        except DeadlineExceeded as late:
            raise exc.TimeoutError(
                f"{late.resource}: no connection of {self._permits.permits} came free within {late.waited_s:.2f} s",
                code="3o7r",
            ) from late
        try:
            try:
                return self._idle.pop()
            except IndexError:
                return self._create_connection()
        except BaseException:
            self._permits.release()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        try:
            if len(self._idle) < max(self._size, 1):
                self._idle.append(record)
            else:
                record.close()
        finally:
            self._permits.release()
