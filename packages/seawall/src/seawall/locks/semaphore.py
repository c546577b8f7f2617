"""A fair counting semaphore for threads and tasks at once."""

from __future__ import annotations

from collections import deque
from types import TracebackType

from seawall.core.line import Line
from seawall.core.order_graph import OrderKey
from seawall.core.statistics import SemaphoreStatistics
from seawall.core.wait_graph import Need
from seawall.errors import Misuse
from seawall.locks.level import Levelled
from seawall.locks.waiting import Waiter, in_transit_to, is_of, receivers, wait_in_task, wait_in_thread, waiting_of
from seawall.observe.registry import REGISTRY
from seawall.observe.tally import Tally
from seawall.observe.waits import OwnerNeed
from seawall.runtime.name import checked_name
from seawall.runtime.who import Loop, Owner, get_ident, name_of, this_task


class Semaphore(Levelled):
    """At most `permits` are inside at once. First come, first served, threads and tasks in one line.

    The verbs are those of `Mutex`, and so are fairness, cancellation, deadlines and `Misuse`. A permit taken by `with`
    or `async with` has a holder, which snapshots show. One taken by `acquire` has none, and anyone may `release` it,
    also above `permits`. One thread or task may take several. Once every permit has a holder and each of them waits, in
    the end, for another one, the last to wait gets `Deadlock` (from level *watched* on). Permits without a holder may
    come from anyone at any time, so no such thing is ever said of them.

    >>> slots = Semaphore("exports", 2)
    >>> with slots:
    ...     slots.statistics().free
    1
    """

    __slots__ = (
        "__weakref__", "_free", "_holders", "_lent", "_line", "_since_s", "_spare", "_take", "_tally", "_waiters",
        "name", "order_key", "permits",
    )  # fmt: skip

    _is_watched = False
    _kind = "semaphore"

    def __init__(self, name: str, permits: int, *, order_key: OrderKey | None = None) -> None:
        if permits < 0:
            raise Misuse(f"{name}: permits must be 0 or more, not {permits}")
        self.name = checked_name(name)
        self.permits = permits
        self.order_key = order_key
        self._line = Line(permits)
        self._tally = Tally()
        self._free = self._line.free
        self._take = self._line.free.pop
        self._waiters = self._line.waiters
        # How many permits each has. An owner's entry is written by that owner alone, so single steps suffice.
        self._holders: dict[Owner, int] = {}
        # One for each permit that `acquire` took and `release` has not given back, and for each it gave beyond that.
        self._lent: deque[None] = deque()
        self._spare: deque[None] = deque()
        self._since_s: dict[Owner, list[float]] = {}  # since when permits are held, at level *timed*
        REGISTRY.add(self)
        self._take_present_level()

    def __enter__(self) -> None:
        try:
            self._take()
            self._note(get_ident())
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        except BaseException:  # a signal's handler has raised, just after
            self._strike(get_ident())
            self._give()
            raise
        else:
            return
        wait_in_thread(self, None)
        self._note(get_ident())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._strike(get_ident())
        self._give()

    async def __aenter__(self) -> None:
        owner = this_task()
        try:
            self._take()
            self._note(owner)
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        except BaseException:  # a signal's handler has raised, just after
            self._strike(owner)
            self._give()
            raise
        else:
            return
        await wait_in_task(self, owner.get_loop(), None)
        self._note(owner)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._strike(this_task())
        self._give()

    def acquire(self, *, timeout_s: float | None = None) -> None:
        """Take a permit, blocking the thread for at most `timeout_s` seconds.

        Raises DeadlineExceeded, Deadlock, LockOrderViolation, or Misuse on an event loop's thread where only tasks of
        that loop could give one back; nothing is taken then.
        """
        try:
            self._take()
            self._lent.append(None)
        except IndexError:
            pass
        except BaseException:  # a signal's handler has raised, just after
            self.release()
            raise
        else:
            return
        wait_in_thread(self, timeout_s)
        self._lent.append(None)

    async def acquire_async(self, *, timeout_s: float | None = None) -> None:
        """Take a permit, waiting in the running task for at most `timeout_s` seconds.

        Raises DeadlineExceeded, Deadlock or LockOrderViolation; nothing is taken then, nor when cancelled.
        """
        try:
            self._take()
            self._lent.append(None)
        except IndexError:
            pass
        except BaseException:  # a signal's handler has raised, just after
            self.release()
            raise
        else:
            return
        await wait_in_task(self, this_task().get_loop(), timeout_s)
        self._lent.append(None)

    def try_acquire(self) -> bool:
        """Take a permit if that needs no wait. Never blocks, never raises."""
        try:
            self._take()
        except IndexError:
            return False
        self._lent.append(None)
        return True

    def release(self, n: int = 1) -> None:
        """Give back, or add, `n` permits. By anyone; never blocks. Raises Misuse where `n` is less than 1."""
        if n < 1:
            raise Misuse(f"{self.name}: n must be 1 or more, not {n}")
        for _ in range(n):
            if self._lent:
                try:
                    self._lent.pop()
                except IndexError:
                    self._spare.append(None)
            else:
                self._spare.append(None)
            self._give()

    def locked(self) -> bool:
        """Whether no permit is free. Never blocks; may be out of date when it returns."""
        return not self._free

    def statistics(self) -> SemaphoreStatistics:
        """Who is inside, who waits, and what waiting and holding came to (seconds). Never blocks."""
        return SemaphoreStatistics(
            name=self.name,
            permits=self.permits,
            free=len(self._free),
            holders=tuple(name_of(owner) for owner, count in self._holders.copy().items() for _ in range(count)),
            waiters=waiting_of(self._line),
            waits_total=self._tally.waits_total,
            wait_s_total=self._tally.wait_s_total,
            waits=self._tally.waits(),
            holds=self._tally.holds(),
        )

    def _forget_times(self) -> None:
        self._since_s.clear()

    def _is_held_by(self, owner: Owner) -> bool:
        """See `locks.order.Held`."""
        return owner in self._holders

    def _need(self) -> OwnerNeed | None:
        """See `locks.waiting.Waitable`. None while any permit is with someone who is not known, or about to be noted."""
        holders = self._holders.copy()
        receiving = receivers(self._line)
        out = self.permits + len(self._spare) - len(self._free)
        if self._lent or sum(holders.values()) + len(receiving) < out:
            return None
        blockers = tuple(dict.fromkeys((*holders, *receiving)))
        return Need(self.name, blockers, 1, None) if blockers else None

    def _give_up(self, waiter: Waiter) -> None:
        """See `locks.waiting.Waitable`."""
        self._give()

    def _permits_outside(self, loop: Loop) -> int:
        """See `locks.waiting.Waitable`."""
        inside = sum(count for owner, count in self._holders.copy().items() if is_of(owner, loop))
        held = inside + in_transit_to(self._line, loop)
        if self._lent or not held:
            return len(self._waiters) + 1  # there is someone else who may give as many as it takes
        return self.permits - held

    def _give(self) -> None:
        if self._waiters:
            self._line.give()
            return
        self._free.append(None)
        if self._waiters:
            self._line.settle()

    def _note(self, owner: Owner) -> None:
        self._holders[owner] = self._holders.get(owner, 0) + 1

    def _strike(self, owner: Owner) -> None:
        count = self._holders.get(owner, 0)
        if count > 1:
            self._holders[owner] = count - 1
        else:
            self._holders.pop(owner, None)
