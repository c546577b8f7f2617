"""Connections and the like, shared by threads and tasks: at most so many, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Generic, TypeVar

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import copy_of
from seawall.core.pool_statistics import ResourcePoolStatistics
from seawall.errors import Closed, Misuse
from seawall.locks.semaphore import Semaphore
from seawall.observe.registry import REGISTRY
from seawall.pools.borrowed import Borrowed
from seawall.pools.sweeper import SWEEPER
from seawall.runtime.threads import RawLock
from seawall.runtime.who import Loop, running_loop

R = TypeVar("R")


@dataclass(eq=False, slots=True)
class _Entry(Generic[R]):
    """A resource, the loop that it belongs to where a coroutine made it, and since when it is idle."""

    resource: R
    loop: Loop | None
    since_s: float = 0.0
    is_broken: bool = False


class ResourcePool(Generic[R]):
    """At most `max_size` resources, made by `create` when they are needed and kept for the next who asks.

    `with pool.borrow() as resource` in a thread, `async with pool.borrow() as resource` in a task; all wait in one
    line, first come, first served, and the snapshot shows who holds and who waits. The one given back last is lent
    first; one idle for `idle_s` seconds is closed by `close`.

    `create` and `close` may be coroutine functions; then only tasks can borrow, and a resource stays with the loop
    that made it. What is broken is closed, not lent again: what `discard` was told, what `is_broken(error)` says of
    the error that leaves the block, and what was in use when its task was cancelled or its thread interrupted, since
    it may be in the middle of a conversation. A waiter that is cancelled or late passes on what it was given.

    >>> pool = ResourcePool("files", list, max_size=2)
    >>> with pool.borrow() as first:
    ...     first.append("kept")
    >>> with pool.borrow() as again:
    ...     again
    ['kept']
    """

    def __init__(
        self,
        name: str,
        create: Callable[[], R | Awaitable[R]],
        *,
        max_size: int,
        close: Callable[[R], object] | None = None,
        is_broken: Callable[[Exception], bool] | None = None,
        idle_s: float = 60.0,
    ) -> None:
        if max_size < 1 or idle_s <= 0:
            raise Misuse(f"pool {name}: max_size must be 1 or more and idle_s above 0, not {max_size}, {idle_s}")
        self.name = name
        self.max_size = max_size
        self._create = create
        self._close = close
        self._is_broken = is_broken
        self._idle_s = idle_s
        self.permits = Semaphore(name, max_size)
        self._idle: deque[_Entry[R]] = deque()  # the one given back last at the right end
        self._out: dict[int, _Entry[R]] = {}  # by id; each is written by its borrower alone
        self._is_closed = False
        self._is_watched = False
        self._guard = RawLock()
        self._created_total = 0  # guarded by self._guard
        self._closed_total = 0  # guarded by self._guard
        self._broken_total = 0  # guarded by self._guard
        REGISTRY.add_whole(self, part=self.permits)

    def borrow(self, *, timeout_s: float | None = None) -> Borrowed[R]:
        """A resource for a `with` or an `async with` block, waiting for one at most `timeout_s` seconds.

        Entering raises DeadlineExceeded, Closed, Misuse on an event loop's thread that would wait for itself, and what
        `create` raises; nothing is held then.
        """
        return Borrowed(self, timeout_s)

    def discard(self, resource: R) -> None:
        """Have `resource`, which is borrowed, closed instead of lent again. Harmless where it is not borrowed."""
        entry = self._out.get(id(resource))
        if entry is not None:
            entry.is_broken = True

    def close(self) -> None:
        """Lend no more and close what is idle; what is borrowed is closed when it comes back. Waiters get Closed."""
        self._is_closed = True
        REGISTRY.remove(self.permits)
        REGISTRY.remove(self)
        while (entry := self._pop_idle(lambda _: True)) is not None:
            self._dispose(entry)

    def statistics(self) -> ResourcePoolStatistics:
        """Who has resources, who waits for one, and how many were made and closed."""
        permits = self.permits.statistics()
        return ResourcePoolStatistics(
            name=self.name,
            max_size=self.max_size,
            in_use=len(self._out),
            idle=len(self._idle),
            waiting=len(permits.waiters),
            holders=permits.holders,
            created_total=self._created_total,
            closed_total=self._closed_total,
            broken_total=self._broken_total,
            waits_total=permits.waits_total,
            wait_s_total=permits.wait_s_total,
            waiters=permits.waiters,
            waits=permits.waits,
        )

    def sweep(self, now_s: float) -> float | None:
        """See `pools.sweeper`."""
        while (entry := self._pop_idle(lambda e: now_s - e.since_s >= self._idle_s, oldest_first=True)) is not None:
            self._dispose(entry)
        try:
            return max(0.0, self._idle[0].since_s + self._idle_s - now_s)
        except IndexError:
            self._is_watched = False
        if not self._idle:
            return None
        self._is_watched = True  # one came back in between, and may have thought itself watched
        return self._idle_s

    # What `Borrowed` does, holding a permit.

    def lend(self) -> R:
        """An idle resource, or a new one. Raises what `create` raises."""
        entry = self._reuse(None)
        if entry is None:
            made = self._create()
            if isawaitable(made):
                getattr(made, "close", lambda: None)()  # or it would complain that it was never awaited
                raise Misuse(f"pool {self.name}: its resources are made by a coroutine; use `async with` in a task")
            entry = self._made(made, None)
        return self._note(entry)

    async def lend_async(self) -> R:
        """As `lend`, in a task."""
        loop = asyncio.get_running_loop()
        entry = self._reuse(loop)
        if entry is None:
            made = self._create()
            resource = await made if isawaitable(made) else made
            entry = self._made(resource, loop if isawaitable(made) else None)
        return self._note(entry)

    def take_back(self, resource: R, error: BaseException | None) -> None:
        """The resource is free again, and `error` is what its block ended with."""
        entry = self._out.pop(id(resource))
        if error is not None and not entry.is_broken:
            entry.is_broken = not isinstance(error, Exception) or (
                self._is_broken is not None and self._is_broken(error)
            )
        if entry.is_broken:
            with self._guard:
                self._broken_total += 1
        if entry.is_broken or self._is_closed:
            self._dispose(entry)
            return
        entry.since_s = SYSTEM_CLOCK.monotonic()
        self._idle.append(entry)
        if not self._is_watched:
            self._is_watched = True
            SWEEPER.watch(self)
        self._close_if_closed_meanwhile()

    def _close_if_closed_meanwhile(self) -> None:
        if self._is_closed:
            self.close()

    def _reuse(self, loop: Loop | None) -> _Entry[R] | None:
        if self._is_closed:
            raise Closed(f"pool {self.name}")
        entry = self._pop_idle(lambda e: e.loop is None or e.loop is loop)
        if entry is None and len(self._idle) + len(self._out) >= self.max_size:
            stranger = self._pop_idle(lambda _: True, oldest_first=True)  # another loop's: make room for one of ours
            if stranger is not None:
                self._dispose(stranger)
        return entry

    def _pop_idle(self, fits: Callable[[_Entry[R]], bool], oldest_first: bool = False) -> _Entry[R] | None:
        entries = copy_of(self._idle)
        for entry in entries if oldest_first else reversed(entries):
            if not fits(entry):
                continue
            try:
                self._idle.remove(entry)  # one step: entries are compared by identity
            except ValueError:
                continue  # somebody else has it
            return entry
        return None

    def _made(self, resource: R, loop: Loop | None) -> _Entry[R]:
        with self._guard:
            self._created_total += 1
        return _Entry(resource, loop)

    def _note(self, entry: _Entry[R]) -> R:
        self._out[id(entry.resource)] = entry
        return entry.resource

    def _dispose(self, entry: _Entry[R]) -> None:
        with self._guard:
            self._closed_total += 1
        if self._close is None:
            return
        loop = entry.loop
        if loop is None:
            self._close(entry.resource)
        elif loop is running_loop():
            self._close_on(loop, entry.resource)
        else:
            try:
                loop.call_soon_threadsafe(self._close_on, loop, entry.resource)
            except RuntimeError:
                pass  # its loop is closed, and nothing of it can be told anything any more

    def _close_on(self, loop: Loop, resource: R) -> None:
        assert self._close is not None
        closing = self._close(resource)
        if isawaitable(closing):
            task = asyncio.ensure_future(closing, loop=loop)
            _CLOSING.add(task)
            task.add_done_callback(_CLOSING.discard)


_CLOSING: set[asyncio.Future[object]] = set()
"""Loops hold their tasks weakly; these are nobody else's."""
