"""At most so many connections or the like are out, given back by anyone: the permits under a pool of connections."""

from __future__ import annotations

from seawall.core.line import Line
from seawall.core.statistics import SemaphoreStatistics
from seawall.core.wait_graph import Need
from seawall.locks.waiting import Waiter, receivers, wait_in_task, wait_in_thread, waiting_of
from seawall.observe.loans import Loan
from seawall.observe.registry import REGISTRY
from seawall.observe.settings import SETTINGS
from seawall.observe.tally import Tally
from seawall.observe.waits import WAITS, OwnerNeed
from seawall.runtime.who import Loop, Owner, get_ident, name_of, this_task


class Lendings:
    """`permits` loans at most at once; first come, first served, threads and tasks in one line.

    In snapshots it is a semaphore. Each loan has a holder, the thread or task that took it, until anyone ends it. It is
    part of a deadlock only while every loan is in the hands of one that waits, and that took it in the context it
    waits in: see `observe.loans`.
    """

    __slots__ = ("__weakref__", "_line", "_out", "_tally", "name", "permits")

    _kind = "semaphore"

    def __init__(self, name: str, permits: int) -> None:
        self.name = name
        self.permits = permits
        self._line = Line(permits)
        self._tally = Tally()
        self._out: dict[Loan, None] = {}  # each is put in by its taker and taken out by one other: single steps
        REGISTRY.add(self)

    def take(self, *, timeout_s: float | None = None) -> Loan:
        """A loan to the calling thread, which is blocked for at most `timeout_s` seconds.

        Raises DeadlineExceeded or Deadlock; nothing is taken then.
        """
        try:
            self._line.free.pop()
        except IndexError:
            pass
        else:
            return self._note(get_ident())
        wait_in_thread(self, timeout_s)
        return self._note(get_ident())

    async def take_async(self, *, timeout_s: float | None = None) -> Loan:
        """As `take`, to the running task; nothing is taken when it is cancelled."""
        task = this_task()
        try:
            self._line.free.pop()
        except IndexError:
            pass
        else:
            return self._note(task)
        await wait_in_task(self, task.get_loop(), timeout_s)
        return self._note(task)

    def give_back(self, loan: Loan) -> None:
        """End `loan`. By anyone; never blocks."""
        del self._out[loan]
        loan.end()
        self._line.give()

    def statistics(self) -> SemaphoreStatistics:
        """Who has what is out, who waits, and what waiting came to (seconds). Never blocks."""
        return SemaphoreStatistics(
            name=self.name,
            permits=self.permits,
            free=len(self._line.free),
            holders=tuple(name_of(owner) for owner in self._owners()),
            waiters=waiting_of(self._line),
            waits_total=self._tally.waits_total,
            wait_s_total=self._tally.wait_s_total,
            waits=self._tally.waits(),
        )

    @property
    def _is_watched(self) -> bool:
        """See `locks.waiting.Waitable`."""
        return SETTINGS.level != "named"

    def _need(self) -> OwnerNeed | None:
        """See `locks.waiting.Waitable`. None while any is with somebody who is not known, or about to be noted."""
        loans = list(self._out)
        holders = [owner for loan in loans if (owner := WAITS.stands_for(loan)) is not None]
        receiving = receivers(self._line)
        if len(holders) < len(loans) or len(holders) + len(receiving) < self.permits - len(self._line.free):
            return None
        blockers = tuple(dict.fromkeys((*holders, *receiving)))
        return Need(self.name, blockers, 1, None) if blockers else None

    def _give_up(self, waiter: Waiter) -> None:
        """See `locks.waiting.Waitable`."""
        self._line.give()

    def _permits_outside(self, loop: Loop) -> int:
        """See `locks.waiting.Waitable`. What a task of `loop` took may come back from a thread, so enough for anyone."""
        return len(self._line.waiters) + 1

    def _owners(self) -> list[Owner]:
        return [owner for loan in list(self._out) if (owner := loan.owner) is not None]

    def _note(self, owner: Owner) -> Loan:
        loan = Loan(owner)
        self._out[loan] = None
        return loan
