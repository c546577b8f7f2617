"""A fair read-write lock for threads and tasks at once."""

from __future__ import annotations

from collections.abc import Iterator

from seawall.clock import SYSTEM_CLOCK
from seawall.core.order_graph import OrderKey
from seawall.core.statistics import ReadWriteLockStatistics
from seawall.core.turnstile import Turnstile
from seawall.core.wait_graph import Need
from seawall.core.waiting import Waiting
from seawall.locks.level import Levelled
from seawall.locks.read_write_waiters import TaskReader, TaskWriter, ThreadReader, ThreadWriter
from seawall.locks.sides import Side
from seawall.locks.waiting import Waiter, is_of, queue_task, queue_thread, receivers, waiting_of
from seawall.observe.registry import REGISTRY
from seawall.observe.settings import Level
from seawall.observe.tally import Tally
from seawall.observe.waits import OwnerNeed
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.name import checked_name
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.who import Loop, Owner, name_of


class ReadWriteLock(Levelled):
    """Many read at once, or one writes. `read` and `write` are its two sides; each has the verbs of `Mutex`.

    First come, first served, threads and tasks in one line: nobody overtakes a waiting writer, so neither side starves.
    Who is inside on either side and enters again gets `Deadlock` at once: a second read would wait behind a writer that
    waits for the first, and nothing is turned from reading into writing. Ownership, cancellation, deadlines, levels,
    `Deadlock` and `Misuse` are as with `Mutex`; both sides have one name in the lock order. `with` on an event loop's
    thread counts every task of that loop in front of it as one that would be waited for.

    The standard library has none. Source: the fair solution of the readers-writers problem (`seawall.core.turnstile`).

    >>> config = ReadWriteLock("config")
    >>> with config.read:
    ...     config.write.try_acquire()
    False
    """

    __slots__ = ("__weakref__", "_drain", "_drainer", "_readers", "_turnstile", "_writer", "name", "read", "write")

    def __init__(self, name: str, *, order_key: OrderKey | None = None) -> None:
        self.name = checked_name(name)
        self._turnstile = Turnstile()
        # Who reads, by itself, or by its waiter where it is let through and not awake yet.
        self._readers: dict[object, Owner] = {}
        self._writer: Owner | None = None  # who has the turnstile to write; written by that one only
        self._drainer: Waiter | None = None  # the writer that waits for the readers to leave; likewise
        self.read: Side = ReadSide(self, order_key)
        self.write: Side = WriteSide(self, order_key)
        self._drain = _Drain(self)
        REGISTRY.add(self)
        self.read._take_present_level()
        self.write._take_present_level()

    def statistics(self) -> ReadWriteLockStatistics:
        """Who reads, writes and waits, and what waiting and holding came to (seconds). Never blocks."""
        writer, drainer = self._writer, self._drainer
        first = (
            () if drainer is None else (Waiting(name_of(drainer.owner), SYSTEM_CLOCK.monotonic() - drainer.since_s),)
        )
        read, write = self.read._tally, self.write._tally
        return ReadWriteLockStatistics(
            name=self.name,
            readers=tuple(name_of(owner) for owner in self._readers.copy().values()),
            writer=None if writer is None else name_of(writer),
            waiters=first + waiting_of(self._turnstile),
            waits_total=read.waits_total + write.waits_total,
            wait_s_total=read.wait_s_total + write.wait_s_total,
            waits=read.waits() + write.waits(),
            holds=read.holds() + write.holds(),
        )

    def _take_level(self, level: Level) -> None:
        self.read._take_level(level)
        self.write._take_level(level)

    def _admit(self, key: object, owner: Owner) -> None:
        self._readers[key] = owner

    def _dismiss(self, key: object) -> None:
        self._readers.pop(key, None)
        # A writer says that it waits and then looks for readers; a reader leaves and then looks for such a writer. So
        # one of the two sees the other, and a writer is woken once however many see it.
        drainer = self._drainer
        if drainer is not None and not self._readers:
            drainer.grant()


class _LockSide(Side):
    __slots__ = ("_lock",)

    def __init__(self, lock: ReadWriteLock, order_key: OrderKey | None) -> None:
        super().__init__(lock.name, order_key)
        self._lock = lock

    @property
    def _line(self) -> Turnstile:
        return self._lock._turnstile

    def _holds(self, owner: Owner) -> bool:
        return owner in self._lock._readers or self._lock._writer == owner

    def _need(self) -> OwnerNeed | None:
        """See `locks.waiting.Waitable`. Whatever else stands in the way stands in the way of that writer too."""
        lock = self._lock
        writer = lock._writer
        blockers = (writer,) if writer is not None else tuple(_receiving_writers(lock._turnstile))
        return Need(self.name, blockers, 1, None) if blockers else None

    def _permits_outside(self, loop: Loop) -> int:
        """See `locks.waiting.Waitable`."""
        lock = self._lock
        writer = lock._writer
        writers = [writer] if writer is not None else _receiving_writers(lock._turnstile)
        return 0 if any(is_of(one, loop) for one in writers) else 1


class ReadSide(_LockSide):
    """The side of those who read."""

    __slots__ = ()

    def locked(self) -> bool:
        """See `Side.locked`."""
        return bool(self._lock._readers)

    def _is_held_by(self, owner: Owner) -> bool:
        return owner in self._lock._readers

    def _enter_now(self, owner: Owner) -> bool:
        turnstile = self._lock._turnstile
        try:
            turnstile.free.pop()
        except IndexError:
            return False
        self._lock._admit(owner, owner)
        turnstile.give()
        return True

    def _wait_in_thread(self, owner: Owner, timeout_s: float | None) -> None:
        waiter = ThreadReader(self._lock)
        queue_thread(self, waiter, wait_limit_s(timeout_s))
        self._settle_in(waiter, owner)

    async def _wait_in_task(self, owner: Owner, timeout_s: float | None) -> None:
        waiter = TaskReader(_loop_of(owner), self._lock)
        await queue_task(self, waiter, wait_limit_s(timeout_s))
        self._settle_in(waiter, owner)

    def _settle_in(self, waiter: Waiter, owner: Owner) -> None:
        self._lock._admit(owner, owner)
        self._lock._readers.pop(waiter, None)

    def _leave(self, owner: Owner) -> None:
        self._lock._dismiss(owner)

    def _give_up(self, waiter: Waiter) -> None:
        """See `locks.waiting.Waitable`."""
        self._lock._dismiss(waiter)


class WriteSide(_LockSide):
    """The side of the one who writes: takes the turnstile, so that nobody else comes in, and waits for the readers."""

    __slots__ = ()

    def locked(self) -> bool:
        """See `Side.locked`."""
        return self._lock._writer is not None and not self._lock._readers

    def _is_held_by(self, owner: Owner) -> bool:
        return self._lock._writer == owner

    def _enter_now(self, owner: Owner) -> bool:
        lock = self._lock
        if lock._readers:
            return False
        try:
            lock._turnstile.free.pop()
        except IndexError:
            return False
        lock._writer = owner
        if not lock._readers:
            return True
        self._leave(owner)  # one came in between
        return False

    def _wait_in_thread(self, owner: Owner, timeout_s: float | None) -> None:
        limit_s = wait_limit_s(timeout_s)
        began_s = SYSTEM_CLOCK.monotonic()
        queue_thread(self, ThreadWriter(), limit_s)
        self._lock._writer = owner
        try:
            if self._lock._readers:
                queue_thread(self._lock._drain, ThreadWaiter(), _left_s(limit_s, began_s))
        except BaseException:
            self._leave(owner)
            raise

    async def _wait_in_task(self, owner: Owner, timeout_s: float | None) -> None:
        limit_s = wait_limit_s(timeout_s)
        began_s = SYSTEM_CLOCK.monotonic()
        await queue_task(self, TaskWriter(_loop_of(owner)), limit_s)
        self._lock._writer = owner
        try:
            if self._lock._readers:
                await queue_task(self._lock._drain, TaskWaiter(_loop_of(owner)), _left_s(limit_s, began_s))
        except BaseException:
            self._leave(owner)
            raise

    def _leave(self, owner: Owner) -> None:
        self._lock._writer = None
        self._lock._turnstile.give()

    def _give_up(self, waiter: Waiter) -> None:
        """See `locks.waiting.Waitable`."""
        self._leave(waiter.owner)


class _Drain:
    """Where the writer that has the turnstile waits for the last reader to leave: a line for one."""

    __slots__ = ("_lock", "name")

    _kind = "lock"

    def __init__(self, lock: ReadWriteLock) -> None:
        self._lock = lock
        self.name = lock.name

    @property
    def _line(self) -> _Drain:
        return self

    @property
    def _is_watched(self) -> bool:
        return self._lock.write._is_watched

    @property
    def _tally(self) -> Tally:
        return self._lock.write._tally

    def join(self, waiter: Waiter) -> None:
        self._lock._drainer = waiter
        if not self._lock._readers:
            waiter.grant()

    def leave(self, waiter: Waiter) -> None:
        self._lock._drainer = None

    def arrived(self, waiter: Waiter) -> None:
        self._lock._drainer = None

    def queued(self) -> Iterator[object]:
        drainer = self._lock._drainer
        return iter(() if drainer is None or drainer.is_decided() else (drainer,))

    def _give_up(self, waiter: Waiter) -> None:
        """The writer gives the turnstile back itself."""

    def _need(self) -> OwnerNeed | None:
        readers = tuple(dict.fromkeys(self._lock._readers.copy().values()))
        return Need(self.name, readers, len(readers), None) if readers else None

    def _permits_outside(self, loop: Loop) -> int:
        return 0 if any(is_of(reader, loop) for reader in self._lock._readers.copy().values()) else 1


def _receiving_writers(turnstile: Turnstile) -> list[Owner]:
    return receivers(turnstile, (ThreadWriter, TaskWriter))


def _left_s(limit_s: float | None, began_s: float) -> float | None:
    return None if limit_s is None else max(0.0, began_s + limit_s - SYSTEM_CLOCK.monotonic())


def _loop_of(owner: Owner) -> Loop:
    assert not isinstance(owner, int)
    return owner.get_loop()
