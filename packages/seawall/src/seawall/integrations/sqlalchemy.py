"""SQLAlchemy's connection pool with Seawall's waiting: fair, named, bounded by deadlines, and in every snapshot."""

from __future__ import annotations

from collections import deque
from typing import Any

from sqlalchemy import exc
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, Pool
from sqlalchemy.util import await_only

from seawall.core.statistics import SemaphoreStatistics
from seawall.errors import DeadlineExceeded
from seawall.observe.loans import Loan
from seawall.pools.lendings import Lendings


class SeawallPool(Pool):
    """In place of `QueuePool`: `create_engine(url, poolclass=SeawallPool, pool_size=5, max_overflow=0)`.

    At most `pool_size + max_overflow` connections are out, first come, first served; up to `pool_size` are kept. A
    thread waits for one for `timeout` seconds (`pool_timeout`) and no longer than its ambient deadline; then
    sqlalchemy.exc.TimeoutError is raised from `DeadlineExceeded`. The pool is a semaphore in Seawall's snapshot, named
    by `pool_logging_name`, or `sqlalchemy`; a `ThreadPool`'s thread that waits for a connection is seen as blocked.

    Where every connection is with somebody who waits, in the end, for another one, the last to wait gets `Deadlock` as
    it is: it is no database error, and to try again does not mend it. Whoever took a connection counts as its holder
    until anyone gives it back, or the piece of work that took it is over (its `contextvars` context, as
    `asyncio.to_thread`, anyio and `ThreadPool` give each call one). Where one hands connections on to be given back by
    others, and itself waits for more meanwhile, use a subclass with `has_holders = False`.

    What differs from `QueuePool`: the wait is fair, the connection given back last is lent first, and no size means
    "without a limit".
    """

    has_holders = True
    """Whether those who took connections are expected to be the ones who give them back."""

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
        self._lendings = Lendings(self.logging_name or "sqlalchemy", pool_size + max_overflow)
        self._loans: dict[ConnectionPoolEntry, Loan] = {}

    def statistics(self) -> SemaphoreStatistics:
        """How many connections may still be had, and who waits for one."""
        return self._lendings.statistics()

    def status(self) -> str:
        """The same for people."""
        return f"Pool size: {self._size}  out: {self.checkedout()}  idle: {self.checkedin()}"

    def size(self) -> int:
        """How many connections are kept at most, as in `QueuePool`."""
        return self._size

    def checkedin(self) -> int:
        """How many are open and idle."""
        return len(self._idle)

    def checkedout(self) -> int:
        """How many are out."""
        figures = self.statistics()
        return figures.permits - figures.free

    def overflow(self) -> int:
        """How many are open beyond `size()`; below 0 while there are fewer, as in `QueuePool`."""
        return self.checkedout() + self.checkedin() - self._size

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
            loan = self._take()
        except DeadlineExceeded as late:
            raise exc.TimeoutError(
                f"{late.resource}: no connection of {self._lendings.permits} came free within {late.waited_s:.2f} s",
                code="3o7r",
            ) from late
        if not self.has_holders:
            loan.end()
        try:
            try:
                record = self._idle.pop()
            except IndexError:
                record = self._create_connection()
        except BaseException:
            self._lendings.give_back(loan)
            raise
        self._loans[record] = loan
        return record

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        loan = self._loans.pop(record)
        try:
            if len(self._idle) < max(self._size, 1):
                self._idle.append(record)
            else:
                record.close()
        finally:
            self._lendings.give_back(loan)

    def _take(self) -> Loan:
        return self._lendings.take(timeout_s=self._timeout)


class AsyncSeawallPool(SeawallPool):
    """The same for `create_async_engine(url, poolclass=AsyncSeawallPool)`: tasks wait, and no event loop stands still.

    A task counts as the holder of what it took until anyone gives it back or the task ends.
    """

    _is_asyncio = True
    _dialect = AsyncAdaptedQueuePool._dialect

    def _take(self) -> Loan:
        return await_only(self._lendings.take_async(timeout_s=self._timeout))
