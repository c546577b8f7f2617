"""Group commit: many put, one thread flushes what has gathered, and each putter learns how its own batch went."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import copy_of
from seawall.core.statistics import BatcherStatistics
from seawall.errors import Closed, DeadlineExceeded, Misuse, SeawallError
from seawall.flow.worker import Stop, Worker
from seawall.observe.registry import REGISTRY
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.name import checked_name
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawLock
from seawall.runtime.who import Loop, get_ident, running_loop

T = TypeVar("T")


class _Put(Generic[T]):
    """What one call put, and how to tell it."""

    __slots__ = ("error", "future", "is_withdrawn", "items", "loop", "parker", "since_s")

    def __init__(
        self, items: Sequence[T], loop: Loop | None, future: asyncio.Future[None] | None, parker: Parker | None
    ) -> None:
        self.items = items
        self.loop = loop
        self.future = future
        self.parker = parker
        self.error: BaseException | None = None
        self.is_withdrawn = False
        self.since_s = SYSTEM_CLOCK.monotonic()


class Batcher(Generic[T]):
    """Gathers items and hands them to `flush`, a plain function, in batches of at most `max_items`.

    `flush` runs on a thread of the batcher's own, one batch at a time, in the order of the puts. It begins as soon as
    the thread is free (classic group commit): a lone item is flushed at once, and under load a batch is what gathered
    during the last flush. With `max_wait_s` > 0 it lingers so long for more, but only where that helps: after a batch
    that held several items (as PostgreSQL's commit_delay looks at commit_siblings).

    What `flush` raises reaches exactly the putters of that batch, and the batcher goes on. At most `capacity` items
    are taken charge of at once; putters beyond that wait in line, first come, first served, and every `put` returns
    only when its items are flushed: that is the back-pressure. A `put` that is cancelled or runs out of time before
    its batch began is withdrawn; after that its items may be flushed though nobody is told.

    >>> rows: list[int] = []
    >>> batcher = Batcher("journal", rows.extend, max_items=100, capacity=1000)
    >>> batcher.put_sync(7)
    >>> batcher.close(timeout_s=5)
    >>> rows
    [7]
    """

    def __init__(
        self,
        name: str,
        flush: Callable[[list[T]], object],
        *,
        max_items: int,
        max_wait_s: float = 0.0,
        capacity: int,
    ) -> None:
        if max_items < 1 or capacity < 1 or max_wait_s < 0:
            raise Misuse(f"batcher {name}: max_items and capacity must be 1 or more, max_wait_s 0 or more")
        self.name = checked_name(name)
        self.capacity = capacity
        self._flush = flush
        self._max_items = max_items
        self._max_wait_s = max_wait_s
        self._line: deque[_Put[T]] = deque()  # appended by putters, taken from by the flusher alone
        self._in_hand: list[_Put[T]] = []  # the flusher's
        self._is_idle = False
        self._is_closing = False
        self._has_ended = False
        self._last_batch_items = 0
        self._batches_total = 0
        self._items_total = 0
        self._failures_total = 0
        self._last_error: str | None = None
        self._flusher_ident: int | None = None
        self._guard = RawLock()
        self._worker: Worker | None = None  # guarded by self._guard when made
        REGISTRY.add(self)

    async def put(self, item: T) -> None:
        """Have `item` flushed. Returns when its batch is, raises what `flush` raised for it.

        Raises Closed after `close`, and DeadlineExceeded at the ambient deadline.
        """
        await self._put((item,))

    async def put_many(self, items: Sequence[T]) -> None:
        """Have `items` flushed, in order; up to `max_items` of them in one batch. Otherwise as `put`."""
        if len(items) <= self._max_items:
            if items:
                await self._put(items)
            return
        first_error: BaseException | None = None
        puts = [asyncio.ensure_future(self._put(part)) for part in self._parts(items)]
        try:
            for outcome in await asyncio.gather(*puts, return_exceptions=True):
                first_error = first_error or outcome
        finally:
            for put in puts:
                put.cancel()
        if first_error is not None:
            raise first_error

    def put_sync(self, item: T, *, timeout_s: float | None = None) -> None:
        """`put` for threads: blocks, for at most `timeout_s` seconds. Raises Misuse on an event loop's thread."""
        self.put_many_sync((item,), timeout_s=timeout_s)

    def put_many_sync(self, items: Sequence[T], *, timeout_s: float | None = None) -> None:
        """`put_many` for threads. On DeadlineExceeded what has not begun is withdrawn."""
        if running_loop() is not None:
            raise Misuse(f"batcher {self.name}: put_sync would block an event loop; use `await put(...)`")
        if get_ident() == self._flusher_ident:
            raise Misuse(f"batcher {self.name}: flush put into its own batcher, and would wait for itself")
        limit_s = wait_limit_s(timeout_s)
        began_s = SYSTEM_CLOCK.monotonic()
        puts = [_Put[T](part, None, None, Parker()) for part in self._parts(items)]
        for put in puts:
            self._enter(put)
        for put in puts:
            assert put.parker is not None
            left_s = None if limit_s is None else max(0.0, began_s + limit_s - SYSTEM_CLOCK.monotonic())
            if not put.parker.park(left_s):
                for late in puts:
                    late.is_withdrawn = True
                raise DeadlineExceeded(f"batcher {self.name}", SYSTEM_CLOCK.monotonic() - began_s)
        for put in puts:
            if put.error is not None:
                raise put.error

    def close(self, timeout_s: float | None = None) -> None:
        """Take no more, flush what was put, and end the thread. Blocks; may be called twice.

        Raises DeadlineExceeded when that took longer than `timeout_s` seconds or the ambient deadline allows; what was
        not flushed by then still is, unless the process ends.
        """
        self._is_closing = True
        with self._guard:
            worker = self._worker
        if worker is None:
            self._has_ended = True
            self._refuse_rest()
        else:
            worker.stop(timeout_s)
        REGISTRY.remove(self)

    def statistics(self) -> BatcherStatistics:
        """What is pending, and how the flushes went."""
        line = copy_of(self._line)
        in_hand = self._in_hand
        counts = [len(put.items) for put in (*in_hand, *line)]
        pending, waiting = 0, 0
        for count in counts:
            if pending + count <= self.capacity or not pending:
                pending += count
            else:
                waiting += 1
        oldest = in_hand[0] if in_hand else line[0] if line else None
        worker = self._worker
        return BatcherStatistics(
            name=self.name,
            pending=pending,
            capacity=self.capacity,
            waiting=waiting,
            pending_age_s=0.0 if oldest is None else SYSTEM_CLOCK.monotonic() - oldest.since_s,
            batches_total=self._batches_total,
            items_total=self._items_total,
            failures_total=self._failures_total,
            restarts_total=0 if worker is None else worker.statistics().failures_total,
            last_error=self._last_error,
        )

    async def _put(self, items: Sequence[T]) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        put = _Put(items, loop, future, None)
        limit_s = wait_limit_s(None)
        timer = None if limit_s is None else loop.call_later(limit_s, self._expire, put)
        self._enter(put)
        try:
            await future
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self, put: _Put[T]) -> None:
        if put.future is not None and not put.future.done():
            waited_s = SYSTEM_CLOCK.monotonic() - put.since_s
            put.future.set_exception(DeadlineExceeded(f"batcher {self.name}", waited_s))

    def _enter(self, put: _Put[T]) -> None:
        if self._is_closing:
            raise Closed(f"batcher {self.name}")
        worker = self._worker or self._start()
        self._line.append(put)
        # The flusher says that it is idle and then looks at the line once more; we queue and then look whether it is
        # idle. So one of the two sees the other.
        if self._is_idle:
            self._is_idle = False
            worker.wake()
        if self._has_ended:  # closed between the first look and the append
            self._refuse_rest()

    def _start(self) -> Worker:
        with self._guard:
            if self._worker is None:
                self._worker = Worker(self.name, self._run)
                self._worker.start()
            return self._worker

    def _parts(self, items: Sequence[T]) -> list[Sequence[T]]:
        size = self._max_items
        return [items[at : at + size] for at in range(0, len(items), size)]

    # Below here: the flusher's thread.

    def _run(self, stop: Stop) -> None:
        self._flusher_ident = get_ident()
        while True:
            try:
                self._flush_until_stopped(stop)
                return
            except BaseException:
                if not stop.is_set():
                    raise  # the worker counts it and calls again, after a back-off
                # Closing: there is nobody to come back for the rest of the line, so go on with it at once.

    def _flush_until_stopped(self, stop: Stop) -> None:
        if self._in_hand:  # the last run died over them
            self._tell(
                self._in_hand, SeawallError(f"batcher {self.name}: its thread died; flushed or not is not known")
            )
        while True:
            if self._line:
                self._linger(stop)
                self._flush_batch(self._take())
                continue
            self._is_idle = True
            if self._line:
                self._is_idle = False
                continue
            if stop.wait(None) and not self._line:
                self._has_ended = True
                self._refuse_rest()
                return
            self._is_idle = False

    def _linger(self, stop: Stop) -> None:
        if self._max_wait_s == 0 or self._last_batch_items < 2:
            return
        until_s = self._line[0].since_s + self._max_wait_s
        while len(self._line) < self._max_items and (left_s := until_s - SYSTEM_CLOCK.monotonic()) > 0:
            self._is_idle = True
            if stop.wait(left_s):
                break
        self._is_idle = False

    def _take(self) -> list[_Put[T]]:
        taken: list[_Put[T]] = []
        room = self._max_items
        line = self._line
        while line and len(line[0].items) <= room:
            put = line.popleft()
            if put.is_withdrawn or (put.future is not None and put.future.done()):
                continue
            room -= len(put.items)
            taken.append(put)
        return taken

    def _flush_batch(self, puts: list[_Put[T]]) -> None:
        if not puts:
            return
        self._in_hand = puts
        items = [item for put in puts for item in put.items]
        self._last_batch_items = len(items)
        try:
            self._flush(items)
        except Exception as error:  # noqa: BLE001 - it is for the putters of this batch
            self._failures_total += 1
            self._last_error = f"{type(error).__name__}: {error}"
            self._tell(puts, error)
            return
        except BaseException as error:
            self._failures_total += 1
            self._last_error = f"{type(error).__name__}: {error}"
            self._tell(puts, SeawallError(f"batcher {self.name}: flush raised {error!r}"))
            raise
        self._batches_total += 1
        self._items_total += len(items)
        self._tell(puts, None)

    def _tell(self, puts: list[_Put[T]], error: Exception | None) -> None:
        by_loop: dict[Loop, list[asyncio.Future[None]]] = {}
        for put in puts:
            if put.loop is not None and put.future is not None:
                by_loop.setdefault(put.loop, []).append(put.future)
            elif put.parker is not None:
                put.error = error
                put.parker.unpark()
        for loop, futures in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, futures, error)
            except RuntimeError:
                pass  # the loop is closed, and its putters with it
        self._in_hand = []

    def _refuse_rest(self) -> None:
        rest: list[_Put[T]] = []
        while True:
            try:
                rest.append(self._line.popleft())
            except IndexError:
                break
        self._tell(rest, Closed(f"batcher {self.name}"))


def _resolve(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
