"""One piece of work for all who ask for the same at the same time."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

from seawall.clock import SYSTEM_CLOCK
from seawall.core.statistics import FlightStatistics
from seawall.core.wait_graph import Need
from seawall.errors import Closed, DeadlineExceeded, Deadlock, Wait
from seawall.observe.registry import REGISTRY
from seawall.observe.server_timing import note_wait
from seawall.observe.settings import SETTINGS
from seawall.observe.waits import WAITS, OwnerNeed
from seawall.runtime.deadline import forget_deadline, wait_limit_s
from seawall.runtime.name import checked_name
from seawall.runtime.who import Loop, Owner, this_task

T = TypeVar("T")

LOOK_FROM = 64
"""How many flights there are before one looks for those of closed loops: few enough to keep."""


class SingleFlight:
    """Runs one piece of work a key at a time; who asks for a key that is under way shares its result.

    The work belongs to the flight: it runs in a task of its own, outlives the caller that began it, and is cancelled
    when its last waiter has left. An exception reaches all waiters. Nothing is kept once the work has ended. Flights
    are per event loop. Source: Go's golang.org/x/sync/singleflight; the cancellation is ours.
    """

    def __init__(self, name: str) -> None:
        self.name = checked_name(name)
        # An entry is made by its own loop's thread only; any may drop it. Single dict operations are atomic.
        self._flights: dict[tuple[Loop, Hashable], _Flight[Any]] = {}
        self._look_from = LOOK_FROM
        self._started_total = 0
        self._shared_total = 0
        self._cancelled_total = 0
        self._failed_total = 0
        REGISTRY.add(self)

    async def run(self, key: Hashable, async_fn: Callable[[], Awaitable[T]]) -> T:
        """Return what `async_fn()` returns, or raise what it raises; begun by this call or by one before it.

        Waits no longer than the ambient deadline allows (DeadlineExceeded); the work itself has no deadline but its
        waiters'. Raises Closed when the work was cancelled by someone else, and Deadlock when the work of a key asks
        for that key itself.
        """
        loop = asyncio.get_running_loop()
        place = (loop, key)
        flight: _Flight[T] | None = self._flights.get(place)
        if flight is None:
            self._forget_closed_loops()
            flight = _Flight(loop)
            self._flights[place] = flight
            self._started_total += 1
            flight.begin(async_fn, lambda: self._land(place, flight))
        else:
            task = asyncio.current_task()
            if task is not None and task is flight.task:  # also at level *named*, which keeps no graph
                me = f"task {task.get_name()}"
                raise Deadlock((Wait(resource=f"flight {self.name}: {key!r}", waiter=me, holders=(me,)),))
            self._shared_total += 1
            since_s = SYSTEM_CLOCK.monotonic()
            try:
                return await self._wait(place, flight)
            finally:  # the work of whoever began it is noted by what it waits for itself
                note_wait(f"flight.{self.name}", SYSTEM_CLOCK.monotonic() - since_s)
        return await self._wait(place, flight)

    def forget(self, key: Hashable) -> None:
        """Have later callers begin anew, though the work on `key` goes on for those who wait for it. From any thread."""
        for place in list(self._flights):
            if place[1] == key:
                self._flights.pop(place, None)

    def statistics(self) -> FlightStatistics:
        """What is under way, and what sharing came to."""
        flights = list(self._flights.values())
        return FlightStatistics(
            name=self.name,
            in_flight=len(flights),
            waiting=sum(len(flight.waiters) for flight in flights),
            started_total=self._started_total,
            shared_total=self._shared_total,
            cancelled_total=self._cancelled_total,
            failed_total=self._failed_total,
        )

    async def _wait(self, place: tuple[Loop, Hashable], flight: _Flight[T]) -> T:
        loop = flight.loop
        waiter: asyncio.Future[T] = loop.create_future()
        flight.waiters[waiter] = None
        limit_s = wait_limit_s(None)
        timer = None if limit_s is None else loop.call_later(limit_s, self._expire, waiter, SYSTEM_CLOCK.monotonic())
        wait = _Wait(f"flight {self.name}: {place[1]!r}", flight, waiter) if SETTINGS.level != "named" else None
        try:
            if wait is not None:
                WAITS.begin(wait, wait.need)
                WAITS.refuse_deadlock(wait)
            return await waiter
        finally:
            if wait is not None:
                WAITS.end(wait)
            if timer is not None:
                timer.cancel()
            flight.waiters.pop(waiter, None)
            if not flight.waiters and not flight.has_landed:
                self._cancelled_total += 1
                self._forget(place, flight)
                flight.cancel()

    def _expire(self, waiter: asyncio.Future[T], since_s: float) -> None:
        if not waiter.done():
            waiter.set_exception(DeadlineExceeded(f"flight {self.name}", SYSTEM_CLOCK.monotonic() - since_s))

    def _land(self, place: tuple[Loop, Hashable], flight: _Flight[Any] | None) -> None:
        assert flight is not None
        self._forget(place, flight)
        flight.has_landed = True
        task = flight.task
        assert task is not None
        if task.cancelled():
            error: BaseException | None = Closed(f"flight {self.name}")
        else:
            error = task.exception()
        if error is not None and not task.cancelled():
            self._failed_total += 1
        for waiter in flight.waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(task.result())
            else:
                waiter.set_exception(error)

    def _forget_closed_loops(self) -> None:
        # Work on a loop that was closed under it never lands. Looked for each time the table has doubled.
        if len(self._flights) < self._look_from:
            return
        for place in list(self._flights):
            if place[0].is_closed():
                self._flights.pop(place, None)
        self._look_from = max(LOOK_FROM, 2 * len(self._flights))

    def _forget(self, place: tuple[Loop, Hashable], flight: _Flight[Any]) -> None:
        if self._flights.get(place) is flight:
            self._flights.pop(place, None)  # another thread may have forgotten it just now


class _Wait:
    """One task's wait for a flight, as the graph of waiting sees it: it goes on when the flight's own task has ended."""

    __slots__ = ("_flight", "_resource", "_waiter", "owner")

    def __init__(self, resource: str, flight: _Flight[Any], waiter: asyncio.Future[Any]) -> None:
        self.owner: Owner = this_task()
        self._resource = resource
        self._flight = flight
        self._waiter = waiter

    def is_decided(self) -> bool:
        """See `observe.waits.Waiting`."""
        return self._waiter.done()

    def need(self) -> OwnerNeed | None:
        task = self._flight.task
        return None if task is None or task.done() else Need(self._resource, (task,), 1, None)


class _Flight(Generic[T]):
    """One piece of work and those who wait for it."""

    __slots__ = ("has_landed", "loop", "task", "waiters")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.task: asyncio.Task[T] | None = None
        self.waiters: dict[asyncio.Future[T], None] = {}
        self.has_landed = False

    def begin(self, async_fn: Callable[[], Awaitable[T]], land: Callable[[], None]) -> None:
        # The first caller's context, but not its deadline: others may be waiting when that has passed.
        context = contextvars.copy_context()
        context.run(forget_deadline)
        self.task = self.loop.create_task(self._work(async_fn), context=context)
        self.task.add_done_callback(lambda _: land())

    async def _work(self, async_fn: Callable[[], Awaitable[T]]) -> T:
        self.task = asyncio.current_task()  # a loop with eager tasks comes here before `create_task` returns
        return await async_fn()

    def cancel(self) -> None:
        if self.task is not None and not self.loop.is_closed():  # closed under its tasks: nothing of it runs any more
            self.task.cancel()
