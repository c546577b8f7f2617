"""Answers kept for a while: a crowd that asks for the same costs one piece of work, and nobody waits for a refresh."""

from __future__ import annotations

import asyncio
import contextvars
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from seawall.clock import SYSTEM_CLOCK, Clock
from seawall.core.pool_statistics import CacheStatistics
from seawall.errors import Misuse
from seawall.flow.single_flight import SingleFlight
from seawall.observe.registry import REGISTRY
from seawall.runtime.deadline import forget_deadline
from seawall.runtime.name import checked_name
from seawall.runtime.threads import RawLock
from seawall.runtime.who import Loop

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A value, and when the work began that made it: what it shows is no younger than that."""

    value: object
    since_s: float


class _Refresh:
    """The one refresh of a key; holds its task, which loops hold weakly."""

    __slots__ = ("loop", "task")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.task: asyncio.Task[None] | None = None


class Cache:
    """Keeps up to `max_items` values, the least recently asked for leaving first.

    For `fresh_s` seconds a value is simply returned. For `stale_s` more it is returned too, and is made anew meanwhile,
    by one piece of work however many ask (stale-while-revalidate, RFC 5861): a popular key that runs out never sends
    its whole crowd to the store at once. After that, or without a value, callers wait for the work, all for the same.

    Errors are not kept: on a miss they reach all who wait, and a failed refresh leaves the old value for its time. A
    caller that leaves takes nobody's work away; the work of a miss is cancelled when its last waiter leaves, a refresh
    never. Values are shared by all event loops; a refresh runs on the loop whose caller found it due.

    >>> import asyncio
    >>> pages = Cache("pages", max_items=1_000, fresh_s=1, stale_s=10)
    >>> async def draw() -> str:
    ...     return "page"
    >>> asyncio.run(pages.get("site 1", draw))
    'page'
    """

    def __init__(
        self, name: str, *, max_items: int, fresh_s: float, stale_s: float, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        if max_items < 1 or fresh_s < 0 or stale_s < 0:
            raise Misuse(f"cache {name}: max_items must be 1 or more, fresh_s and stale_s 0 or more")
        self.name = checked_name(name)
        self._max_items = max_items
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._clock = clock
        self._flights = SingleFlight(name)
        self._guard = RawLock()  # for all below; held for a few steps, never while a value is made
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._being_made: dict[Hashable, object] = {}
        self._refreshes: dict[Hashable, _Refresh] = {}
        self._hits_total = 0
        self._stale_total = 0
        self._misses_total = 0
        self._refreshes_failed_total = 0
        self._evicted_total = 0
        REGISTRY.add(self)

    async def get(self, key: Hashable, async_fn: Callable[[], Awaitable[T]]) -> T:
        """The kept value of `key`, or what `async_fn()` returns.

        Where it has to wait it does so no longer than the ambient deadline allows (DeadlineExceeded), and raises what
        `async_fn` raises.
        """
        now_s = self._clock.monotonic()
        with self._guard:
            kept = self._kept.get(key)
            age_s = 0.0 if kept is None else now_s - kept.since_s
            if kept is None or age_s >= self._fresh_s + self._stale_s:
                self._misses_total += 1
                kept = None
            else:
                self._kept.move_to_end(key)
                if age_s < self._fresh_s:
                    self._hits_total += 1
                    return cast("T", kept.value)
                self._stale_total += 1
        if kept is None:
            return await self._flights.run(key, lambda: self._make(key, async_fn))
        self._refresh(key, async_fn)
        return cast("T", kept.value)

    def forget(self, key: Hashable) -> None:
        """Drop the value of `key`, because it has changed. Work on it that has begun is not kept either."""
        with self._guard:
            dropped = self._kept.pop(key, None)  # its finalizer may ask this cache: not while guarded
            self._being_made.pop(key, None)
            self._refreshes.pop(key, None)
        del dropped
        self._flights.forget(key)

    def clear(self) -> None:
        """Drop every value, and do not keep what is being made."""
        with self._guard:
            keys = {*self._kept, *self._being_made, *self._refreshes}
        for key in keys:
            self.forget(key)

    def statistics(self) -> CacheStatistics:
        """How full it is, and what it was good for."""
        with self._guard:
            return CacheStatistics(
                name=self.name,
                items=len(self._kept),
                max_items=self._max_items,
                hits_total=self._hits_total,
                stale_total=self._stale_total,
                misses_total=self._misses_total,
                refreshes_failed_total=self._refreshes_failed_total,
                evicted_total=self._evicted_total,
            )

    async def _make(self, key: Hashable, async_fn: Callable[[], Awaitable[T]]) -> T:
        mark = object()
        since_s = self._clock.monotonic()
        with self._guard:
            self._being_made[key] = mark
        try:
            value = await async_fn()
        except BaseException:
            with self._guard:
                if self._being_made.get(key) is mark:
                    del self._being_made[key]
            raise
        dropped: list[_Kept | None] = []
        with self._guard:
            if self._being_made.get(key) is mark:  # otherwise forgotten meanwhile, or made anew on another loop
                del self._being_made[key]
                dropped = self._keep(key, _Kept(value, since_s))
        del dropped  # the finalizers of values may ask this cache: not while guarded
        return value

    def _keep(self, key: Hashable, kept: _Kept) -> list[_Kept | None]:
        dropped = [self._kept.get(key)]
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > self._max_items:
            dropped.append(self._kept.popitem(last=False)[1])
            self._evicted_total += 1
        return dropped

    def _refresh(self, key: Hashable, async_fn: Callable[[], Awaitable[Any]]) -> None:
        # Whoever asked does not wait, and its deadline does not count.
        context = contextvars.copy_context()
        context.run(forget_deadline)
        loop = asyncio.get_running_loop()
        refresh = _Refresh(loop)
        with self._guard:
            running = self._refreshes.get(key)
            if running is not None and not running.loop.is_closed():
                return
            self._refreshes[key] = refresh
        # Outside: a loop with eager tasks begins it here and now.
        refresh.task = loop.create_task(self._refresh_once(key, async_fn), context=context)
        refresh.task.add_done_callback(lambda task: self._refreshed(key, refresh, task))

    async def _refresh_once(self, key: Hashable, async_fn: Callable[[], Awaitable[Any]]) -> None:
        await self._flights.run(key, lambda: self._make(key, async_fn))

    def _refreshed(self, key: Hashable, refresh: _Refresh, task: asyncio.Task[None]) -> None:
        with self._guard:
            if self._refreshes.get(key) is refresh:
                del self._refreshes[key]
            if task.cancelled() or task.exception() is not None:
                self._refreshes_failed_total += 1
