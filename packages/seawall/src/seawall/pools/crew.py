"""A pool's queue and threads, apart from its public face, so that a pool nobody holds any more can end.

Queueing and taking work are single atomic operations on a deque and a list, so that no lock is taken for a piece of
work. What keeps work from being left lying is the rule of `core.line`: *whoever queues or frees looks again afterwards*.
"""

from __future__ import annotations

from collections import deque

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import copy_of
from seawall.core.sizing import Machine, are_mostly_blocked
from seawall.core.statistics import PoolStatistics
from seawall.errors import Closed, Overloaded
from seawall.pools.growth import Pace
from seawall.pools.member import Member
from seawall.pools.pacer import PACER
from seawall.pools.standstill import deadlock_in, is_knot, stands_still
from seawall.pools.work import Work
from seawall.runtime.probe import cores
from seawall.runtime.threads import RawRLock, Thread, join, spawn
from seawall.runtime.who import get_ident


class Crew:
    """Threads that take work from one queue, first come, first served. No method but `join_all` blocks."""

    def __init__(
        self,
        name: str,
        min_threads: int,
        max_threads: int,
        queue_limit: int,
        spare_threads: int,
        urgent: deque[Work] | None = None,
    ) -> None:
        self.name = name
        self.urgent: deque[Work] = deque() if urgent is None else urgent
        """Another crew's queue, whose work the threads of this one take first."""
        self.queue_limit = queue_limit
        self.spare_threads = spare_threads
        self.queue: deque[Work] = deque()
        self.idle: list[Member] = []  # the newest at the end is taken first, so that the rest retire
        self.is_closed = False
        self.is_watched = False
        # Guards all below; held for a few steps only, never while work is carried out. Re-entrant, because the garbage
        # collector may close the crew of a forgotten pool at any allocation, also inside one of these steps.
        self._guard = RawRLock()
        self._members: dict[Member, Thread | None] = {}  # spare ones too
        self.count = 0  # of the members that are not spare
        self._spares = 0
        self._started_total = 0
        self._begun_by_those_gone = 0
        self._inline_total = 0
        self._refused_total = 0
        self._cancelled_total = 0
        self._pace = Pace()
        self.min_threads = min_threads
        self.max_threads = max_threads
        self.eager = self.allowed = _eager(min_threads, max_threads)

    def take_on(self, work: Work) -> None:
        """Queue `work`. Raises Overloaded when the queue is full, Closed after `close`.

        The limit is checked before queueing, not with it: so many threads as queue at the same instant, so many pieces
        may it be above.
        """
        if self.is_closed:
            raise Closed(f"pool {self.name}")
        queue = self.queue
        if len(queue) >= self.queue_limit and not self.idle:
            self._make_room()
        queue.append(work)
        if self.idle:
            try:
                member = self.idle.pop()
            except IndexError:
                pass
            else:
                member.parker.unpark()
                return
        if self.count < self.allowed:
            self._start_for(work)
        elif not self.is_watched:
            self.have_watched()
        self._raise_if_closed_meanwhile(work)

    def wake_one(self) -> None:
        """Have an idle thread, if there is one, look at the queues."""
        if self.idle:
            try:
                member = self.idle.pop()
            except IndexError:
                return
            member.parker.unpark()

    def _raise_if_closed_meanwhile(self, work: Work) -> None:
        if self.is_closed and self.takes_out(work):  # otherwise a thread has it, or whoever closed
            raise Closed(f"pool {self.name}")

    def withdraw(self, work: Work) -> bool:
        """Take `work`, which was cancelled, out of the queue. False where it has begun, or was never there."""
        if not self.takes_out(work):
            return False
        with self._guard:
            self._cancelled_total += 1
        return True

    def takes_out(self, work: Work) -> bool:
        """Take `work` out of the queue. True for one caller only, and never for one whose work a thread has taken."""
        try:
            self.queue.remove(work)  # one atomic step, since work is compared by identity
        except ValueError:
            return False
        return True

    def carrier_of(self, work: object) -> int | None:
        """The ident of the thread that has `work` in hand; None where it is queued, over, or inside other work."""
        return next((member.ident for member in self._members.copy() if member.work is work), None)

    # Size.

    def resize(self, max_threads: int) -> None:
        """Let there be up to `max_threads`. Threads above that end when they have finished what they are at."""
        with self._guard:
            self.max_threads = max_threads
            self.min_threads = min(self.min_threads, max_threads)
            self.eager = _eager(self.min_threads, max_threads)
        self.allow(max(self.eager, min(self.allowed, max_threads)))

    def allow(self, threads: int) -> None:
        """Have `threads` of them, where there is work for them; surplus ones end."""
        with self._guard:
            self.allowed = threads
            for _ in range(min(len(self.queue), threads - self.count)):
                self._start()
        if self.count > threads:
            self._wake_idle()

    def have_watched(self) -> None:
        """Have the pacer look here until the queue is empty."""
        self.is_watched = True
        self._pace.begin(self, SYSTEM_CLOCK.monotonic())
        PACER.watch(self)

    def look(self, now_s: float, machine: Machine) -> None:
        """Grow or shrink; called by the pacer."""
        self._pace.look(self, now_s, machine)

    def one_blocks(self) -> None:
        """A member is about to wait in something we know: another may use its place."""
        if not self.queue or self.idle or are_mostly_blocked(self.blocked(), self.count):
            return
        if self.count == self.allowed < self.max_threads:
            with self._guard:
                if self.count != self.allowed or self.allowed >= self.max_threads:
                    return
                self._pace.note(SYSTEM_CLOCK.monotonic(), self.allowed, self.allowed + 1, "a worker blocks")
                self.allow(self.allowed + 1)

    def stands_still(self, but: Member | None = None) -> bool:
        """See `pools.standstill`."""
        return stands_still([member for member in self.members() if member is not but])

    def spare_or_deadlock(self, member: Member, work: Work) -> None:
        """See that `work`, for which `member` waits, begins all the same. Raises Deadlock where it cannot."""
        if self._add_spare() or work not in self.queue:
            return
        others = [other for other in self.members() if other is not member]
        if not others or is_knot(others, [*self._queued(), member.work]):
            raise deadlock_in(self.name, member, self.members())

    def add_spare_or_fail_oldest(self) -> None:
        """Have a spare thread begin what waits; where there are as many as may be, and it is certain that nothing
        will ever begin, those who wait for the oldest get Deadlock."""
        if self._add_spare() or not is_knot(self.members(), self._queued()):
            return
        try:
            work = self.queue.popleft()
        except IndexError:
            return
        work.fail(deadlock_in(self.name, None, self.members()))

    def _queued(self) -> list[Work]:
        return copy_of(self.queue)

    def members(self) -> list[Member]:
        """All threads at one moment, though some start or end meanwhile."""
        while True:
            try:
                return list(self._members)
            except RuntimeError:
                continue

    # Ends of members.

    def lets_go(self, member: Member) -> bool:
        """The member, of which there are too many or no need, is gone. False where it is needed after all."""
        with self._guard:
            if self.count <= self.allowed and not (self.is_closed and not self.queue):
                return False
            self._forget(member)
        if self.queue:  # queued by someone who counted on this one
            self._pass_on()
        return True

    def retires(self, member: Member) -> bool:
        """As `lets_go`, for one that had nothing to do for long. Its place is grown again only where it helps."""
        with self._guard:
            if self.count <= self.min_threads:
                return False
            self._forget(member)
            self.allowed = max(self.eager, min(self.allowed, self.count))
        if self.queue:
            self._pass_on()
        return True

    def lets_spare_go(self, member: Member) -> None:
        """The spare thread is gone."""
        with self._guard:
            self._spares -= 1
            self._begun_by_those_gone += member.begun_total
            del self._members[member]

    def close(self, cancel_queued: bool = False) -> None:
        """Take on no more. The threads end when the queue is empty; `cancel_queued` empties it."""
        self.is_closed = True
        while cancel_queued:
            try:
                work = self.queue.popleft()
            except IndexError:
                break
            with self._guard:
                self._cancelled_total += 1
            work.drop()
        self._wake_idle()

    def join_all(self) -> None:
        """Block until every thread has ended; the calling one does not wait for itself."""
        while True:
            with self._guard:
                threads = [thread for thread in self._members.values() if thread and thread.ident != get_ident()]
            if not threads:
                return
            for thread in threads:
                join(thread, None)

    # Figures.

    def begun_total(self) -> int:
        """Work that left the queue for a thread, so far."""
        return self._begun_by_those_gone + sum(member.begun_total for member in self.members())

    def blocked(self) -> int:
        """How many members wait in something we know."""
        return sum(member.blocked_since_s is not None for member in self.members())

    def is_idle(self) -> bool:
        """Whether no work runs or waits."""
        return not self.queue and all(member.work is None for member in self.members())

    def queue_age_s(self, now_s: float) -> float:
        """How long the oldest queued work has waited."""
        try:
            return max(0.0, now_s - self.queue[0].since_s)
        except IndexError:
            return 0.0

    def note_inline(self) -> None:
        """Count one piece of work that its own waiter carried out."""
        with self._guard:
            self._inline_total += 1

    def statistics(self) -> PoolStatistics:
        """See `ThreadPool.statistics`."""
        with self._guard:
            busy = sum(member.work is not None for member in self._members)
            return PoolStatistics(
                name=self.name,
                threads=len(self._members),
                max_threads=self.max_threads,
                busy=busy,
                queued=len(self.queue),
                queue_limit=self.queue_limit,
                queue_age_s=self.queue_age_s(SYSTEM_CLOCK.monotonic()),
                done_total=self.begun_total() - busy + self._inline_total,
                refused_total=self._refused_total,
                cancelled_total=self._cancelled_total,
                blocked=self.blocked(),
                allowed=self.allowed,
                spare=self._spares,
                inline_total=self._inline_total,
                decisions=tuple(copy_of(self._pace.decisions)),
            )

    # Starts.

    def _make_room(self) -> None:
        with self._guard:
            if self.count < self.max_threads:  # a full queue is the best of reasons
                self.allowed = max(self.allowed, self.count + 1)
                return
            self._refused_total += 1
            retry_after_s = max(0.1, self.queue_age_s(SYSTEM_CLOCK.monotonic()))  # a hint is all that is asked for
        raise Overloaded(f"pool {self.name}: its queue of {self.queue_limit} is full", retry_after_s)

    def _start_for(self, work: Work) -> None:
        try:
            with self._guard:
                if self.count < self.allowed:
                    self._start()
        except RuntimeError:  # the system gives us no more threads
            if self.count == 0 and self.takes_out(work):
                raise

    def _start(self, is_spare: bool = False) -> None:
        member = Member(self, f"{self.name}-{self._started_total}", is_spare)
        self._started_total += 1
        self._members[member] = None  # its place, while it starts
        if is_spare:
            self._spares += 1
        else:
            self.count += 1
        try:
            thread = spawn(member.name, member.run)
        except BaseException:
            self._forget(member)
            raise
        if member in self._members:  # it may have ended already
            self._members[member] = thread

    def _add_spare(self) -> bool:
        with self._guard:
            if self._spares >= self.spare_threads:
                return False
            try:
                self._start(is_spare=True)
            except RuntimeError:
                return False
            self._pace.note(
                SYSTEM_CLOCK.monotonic(), self.allowed, self.allowed, "a spare thread: all wait for each other"
            )
            return True

    def _forget(self, member: Member) -> None:
        del self._members[member]
        self._begun_by_those_gone += member.begun_total
        if member.is_spare:
            self._spares -= 1
        else:
            self.count -= 1

    def _pass_on(self) -> None:
        try:
            self.idle.pop().parker.unpark()
        except IndexError:
            self.allow(self.allowed)

    def _wake_idle(self) -> None:
        while True:
            try:
                self.idle.pop().parker.unpark()
            except IndexError:
                return


def _eager(min_threads: int, max_threads: int) -> int:
    return max(min_threads, min(max_threads, cores()))
