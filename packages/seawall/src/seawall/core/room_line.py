"""The line of a waiting room: numbers, who is called, who came. Counters only, however many wait.

Whoever joins draws the next number. A number is *called* when there is room for it, in order; its holder, who looks in now
and then, then finds that it may go in. As many are called as can be *on their way* at once: what the gate's seats get done
in the time until one who is called comes, less what those inside ask for, and a short queue at the gate (Little's law). Who
comes makes room for the next call, as acknowledgements do in TCP; and as there, the room takes less of the gate when it
turned somebody away who was called, and slowly more again (Jacobson, "Congestion Avoidance and Control", SIGCOMM 1988).
How many of those who are called come, how long that takes, and what those inside ask for is measured as it happens.

This is the take-a-number dispenser of shops, with tickets that can't be written by hand.
"""

from __future__ import annotations

from itertools import takewhile
from math import inf

from seawall.core.recent import RecentRate
from seawall.core.room_coming import LIKELY_S, Coming

ABSENT_S = 12.0
"""Who was called and has not come for so long is taken to have left: many looks of those at the front. Coming late is no
harm: the number stays called."""

DUE_LIMIT = 4_096
"""At most so many are called and have not come: what bounds the memory, and a rush should all come at once."""

LINES = 4
"""So many lines are known: this one, and those of servers before a restart."""

WINDOW_S = 30
"""Over so many seconds the speed of the line is counted."""

SLOWEST_PER_S = 0.5
"""What a gate is taken to get done that nobody has left yet."""

FIRST_PART, MOST_PART = 0.7, 1.2
"""What part of the gate a room that opens takes, and what it takes at most."""

MORE_PER_S, LESS, LESS_EVERY_S = 0.05, 0.7, 2.0
"""By how much that part grows in a second, and to what it falls when the gate refused one who was called or is inside:
once in the time that it takes to be felt. In a simulation of seven crowds a fall to 0.8 had half as many again refused and
kept the seats a twentieth busier; growing by 0.03 left a slow gate idle half of the time."""

INSIDE_S = 5
"""Over so many seconds it is counted what those inside ask for."""

SMOOTH_S = 4.0
"""What the gate gets done is taken as the mean over about so many seconds: it is told from the last few that left."""

TRUSTED_S = 10.0
"""For so long after it opened the line is taken to move as the gate's figures say; then, as it was seen to move."""

AT_MOST_S = 4.5
"""A pause between looks counts as so long and no more."""


class Line:
    """Numbers drawn and called, by one server since its start. A number up to `called` may go in."""

    __slots__ = ("called", "expected", "here", "last", "overdue", "started")

    def __init__(self, started: int) -> None:
        self.started = started
        self.last = 0
        self.called = 0
        # Called and not yet in, by when they were last heard of: not since they were called, of late or for longer than
        # `LIKELY_S`, and those who came and could not go in at once.
        self.expected: dict[int, float] = {}
        self.overdue: dict[int, float] = {}
        self.here: dict[int, float] = {}

    @property
    def due(self) -> int:
        """How many are called and not in."""
        return len(self.expected) + len(self.overdue) + len(self.here)

    @property
    def waiting(self) -> int:
        """How many have a number that was not called."""
        return self.last - self.called


class Room:
    """Who waits for one workload: this server's line, behind those of servers before it. For one thread at a time.

    Told the time by a monotonic clock, and by the gate how many could go in. At any moment `called_total` is `in_total` +
    `missed_total` + those due; a number that was missed and came later all the same is counted as `late_total` beside.
    """

    def __init__(self, started: int) -> None:
        self.own = Line(started)
        self.lines = [self.own]  # the oldest first, its own last
        self.called_total = self.in_total = self.missed_total = self.late_total = 0
        self._calls = RecentRate(WINDOW_S)
        self._asked = RecentRate(INSIDE_S)
        self._coming = Coming()
        self._part, self._part_s, self._less_s = FIRST_PART, -inf, -inf
        self._opened_s = -inf
        self._capacity_per_s = self._told_per_s = 0.0

    # Who comes.

    def join(self) -> int:
        """Draw the next number."""
        self.own.last += 1
        return self.own.last

    def learn(self, started: int, number: int, called: int, last: int) -> bool:
        """Take what a ticket of an earlier server knows; False where it is of too old a line to have a place."""
        line = self._line(started)
        if line is None:
            if len(self.lines) == LINES:
                if started < self.lines[0].started:
                    return False
                del self.lines[0]
            line = Line(started)
            # Whatever the clock did meanwhile: who comes with a ticket was here before anybody who has none.
            self.lines = [*sorted([*self.lines[:-1], line], key=lambda one: one.started), self.own]
        if line is not self.own:
            line.last = max(line.last, last, number)
            line.called = max(line.called, min(called, line.last))
        return number <= line.last

    def place(self, started: int, number: int) -> int:
        """Which one it is in line: 1 goes next; 0 may go in. It never grows, but for those who were before a restart."""
        ahead = 0
        for line in self.lines:
            if line.started == started:
                return ahead + number - line.called if number > line.called else 0
            ahead += line.waiting
        return ahead

    def came(self, started: int, number: int, now_s: float) -> None:
        """One that may go in has looked in and knows it."""
        line = self._line(started)
        if line is None:
            return
        if number not in line.here:
            called_s = line.expected.pop(number, line.overdue.pop(number, None))
            if called_s is None:
                return
            self._coming.came(now_s, called_s)
        line.here.pop(number, None)
        line.here[number] = now_s  # at the end: they stay in the order in which they were last heard of

    def let_in(self, started: int, number: int, now_s: float) -> None:
        """One that may go in has gone in."""
        self.came(started, number, now_s)
        line = self._line(started)
        if line is None or line.here.pop(number, None) is None:
            self.late_total += 1
        else:
            self.in_total += 1

    def asked(self, now_s: float) -> None:
        """One that is inside asks for something more."""
        self._asked.add(now_s)

    def turned_away(self, now_s: float) -> None:
        """The gate refused one that was called, or is inside."""
        if now_s - self._less_s >= LESS_EVERY_S:
            self._less_s = now_s
            self._part *= LESS

    def known(self, started: int) -> tuple[int, int]:
        """What a ticket of a line that is known is to tell after a restart: how many were called, how many drew a number."""
        line = self._line(started) or self.own
        return line.called, line.last

    # Who is called.

    def call(self, now_s: float, spare: int, capacity_per_s: float, queue: float = 0.0) -> None:
        """Call as many as there is room for: `spare` seats are free now; below 0, so many wait for one.

        `capacity_per_s` is what all seats together give a second, 0 where it is not known. `queue` is how many may wait at
        the gate, so that no seat is idle until the next one comes.
        """
        self._age(now_s)
        if not self.waiting:
            self._part_s = -inf
            return
        self._take_more(now_s, capacity_per_s)
        asked_per_s = self._asked.per_s(now_s) or 0.0
        may_per_s = max(0.0, max(self._capacity_per_s, SLOWEST_PER_S) * self._part - asked_per_s)
        part = self._coming.part(now_s)
        self._told_per_s = may_per_s / part if self._capacity_per_s else 0.0
        expected = sum(len(line.expected) * part + len(line.here) for line in self.lines)
        wanted = int((may_per_s * self._coming.after_s() + queue + min(spare, 0) - expected) / part)
        wanted = max(wanted, spare - self.due)
        for line in self.lines:
            count = min(line.waiting, wanted, DUE_LIMIT - self.due)
            if count <= 0:
                continue
            wanted -= count
            for number in range(line.called + 1, line.called + count + 1):
                line.expected[number] = now_s
            line.called += count
            self.called_total += count
            self._calls.add(now_s, count)
            self._coming.called(now_s, count)

    @property
    def due(self) -> int:
        """How many are called and not in."""
        return sum(line.due for line in self.lines)

    @property
    def waiting(self) -> int:
        """How many have a number that was not called: those who left among them, until it is their turn."""
        return sum(line.waiting for line in self.lines)

    @property
    def is_open(self) -> bool:
        """Whether anybody is before a newcomer."""
        return any(line.waiting or line.due for line in self.lines)

    def per_s(self, now_s: float) -> float | None:
        """How many places the line moves a second, of late; None where it has not moved."""
        if now_s - self._opened_s < TRUSTED_S and self._told_per_s:
            return self._told_per_s
        return self._calls.per_s(now_s) or self._told_per_s or None

    # Steps.

    def _line(self, started: int) -> Line | None:
        return next((line for line in self.lines if line.started == started), None)

    def _age(self, now_s: float) -> None:
        """Those not heard of for long are not expected, and then missed."""
        for line in self.lines:
            for number in _before(line.expected, now_s - LIKELY_S):
                line.overdue[number] = line.expected.pop(number)
            for number in _before(line.overdue, now_s - ABSENT_S):
                del line.overdue[number]
                self.missed_total += 1
            for number in _before(line.here, now_s - ABSENT_S):
                del line.here[number]
                self.missed_total += 1

    def _take_more(self, now_s: float, capacity_per_s: float) -> None:
        past_s = now_s - self._part_s
        self._part_s = now_s
        if past_s == inf:  # it opens
            self._part, self._opened_s = FIRST_PART, now_s
        else:
            self._part = min(MOST_PART, self._part + MORE_PER_S * min(AT_MOST_S, past_s))
        if capacity_per_s and self._capacity_per_s:
            self._capacity_per_s += (capacity_per_s - self._capacity_per_s) * min(1.0, past_s / SMOOTH_S)
        else:
            self._capacity_per_s = capacity_per_s or self._capacity_per_s


def _before(heard_s: dict[int, float], time_s: float) -> list[int]:
    """The first of them, as far as they were last heard of by then."""
    return list(takewhile(lambda number: heard_s[number] <= time_s, heard_s))
