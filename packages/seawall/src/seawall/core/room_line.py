"""The line of a waiting room: numbers, who is called, who came. Counters only, however many wait.

Whoever joins draws the next number. A number is *called* when there is room for it, in order; its holder, who looks in now
and then, then finds that it may go in. The server does not know who still waits: it learns that a holder has gone when
the number is called and nobody comes. So it calls as many as should come in the time it takes them to look, by
Little's law, and more by as many as do not come.

This is the take-a-number dispenser of shops, with tickets that can't be written by hand.
"""

from __future__ import annotations

from math import ceil

from seawall.core.patience import smoothed
from seawall.core.rate import Rate

ABSENT_S = 12.0
"""Who was called and has not come for so long is taken to have left: four looks of those at the front. Coming late is no
harm: the number stays called."""

DUE_LIMIT = 4_096
"""At most so many are called and have not come: what bounds the memory, and a rush should all come at once."""

LINES = 4
"""So many lines are known: this one, and those of servers before a restart."""

WINDOW_S = 30
"""Over so many seconds the speed of the line is counted."""

INSIDE_WINDOW_S = 10
"""Over so many seconds it is counted what those inside ask for."""

FIRST_LOOK_S = 1.5
"""What is taken for the time until somebody who is called comes, until it has been measured."""


class Line:
    """Numbers drawn and called, by one server since its start. A number up to `called` may go in."""

    __slots__ = ("called", "due", "last", "started")

    def __init__(self, started: int) -> None:
        self.started = started
        self.last = 0
        self.called = 0
        self.due: dict[int, _Call] = {}  # called and not yet in, first who was not heard of for longest

    @property
    def waiting(self) -> int:
        """How many have a number that was not called."""
        return self.last - self.called


class _Call:
    __slots__ = ("at_s", "has_come")

    def __init__(self, at_s: float) -> None:
        self.at_s = at_s
        self.has_come = False


class Room:
    """Who waits for one workload: this server's line, behind those of servers before it. For one thread at a time.

    Told the time by a monotonic clock, and by the gate how many could go in. At any moment `called_total` is `in_total` +
    `missed_total` + those due; a number that was missed and came later all the same is counted as `late_total` beside.
    """

    def __init__(self, started: int) -> None:
        self.own = Line(started)
        self.lines = [self.own]  # the oldest first, its own last
        self.called_total = self.in_total = self.missed_total = self.late_total = 0
        self._calls = Rate(WINDOW_S)
        self._inside = Rate(INSIDE_WINDOW_S)
        self._outflow_per_s = 0.0
        self._due_s = FIRST_LOOK_S  # how long one who is called is awaited, mean of late
        self._presence = 1.0  # the part of those called who come

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
        call = None if line is None else line.due.pop(number, None)
        if line is None or call is None:
            return
        if not call.has_come:
            call.has_come = True
            self._note(min(ABSENT_S, now_s - call.at_s), 1.0)
        call.at_s = now_s
        line.due[number] = call  # at the end: they stay in the order in which they were last heard of

    def let_in(self, started: int, number: int, now_s: float) -> None:
        """One that may go in has gone in."""
        self.came(started, number, now_s)
        line = self._line(started)
        if line is None or line.due.pop(number, None) is None:
            self.late_total += 1
        else:
            self.in_total += 1

    def goes_on(self, now_s: float) -> None:
        """One who is inside asks for something more."""
        self._inside.add(now_s)

    def known(self, started: int) -> tuple[int, int]:
        """What a ticket of a line that is known is to tell after a restart: how many were called, how many drew a number."""
        line = self._line(started) or self.own
        return line.called, line.last

    # Who is called.

    def call(self, now_s: float, spare: float, capacity_per_s: float) -> None:
        """Call as many as there is room for: `spare` now, and what the gate gives a second while they come.

        `capacity_per_s` is what all its seats come to; what those inside ask for is taken off.
        """
        self._miss(now_s)
        self._outflow_per_s = max(0.0, capacity_per_s - (self._inside.per_s(now_s) or 0.0))
        wanted = ceil((spare + self._outflow_per_s * self._due_s) / self._presence) - self.due
        for line in self.lines:
            count = min(line.waiting, wanted, DUE_LIMIT - self.due)
            if count <= 0:
                continue
            wanted -= count
            for number in range(line.called + 1, line.called + count + 1):
                line.due[number] = _Call(now_s)
            line.called += count
            self.called_total += count
            self._calls.add(now_s, count)

    @property
    def due(self) -> int:
        """How many are called and not in."""
        return sum(len(line.due) for line in self.lines)

    @property
    def waiting(self) -> int:
        """How many have a number that was not called: those who left among them, until it is their turn."""
        return sum(line.waiting for line in self.lines)

    @property
    def is_open(self) -> bool:
        """Whether anybody is before a newcomer."""
        return any(line.waiting or line.due for line in self.lines)

    def per_s(self, now_s: float) -> float | None:
        """How many places the line moves a second, of late; else what the gate should let in; None where neither is known."""
        return self._calls.per_s(now_s) or self._outflow_per_s or None

    # Steps.

    def _line(self, started: int) -> Line | None:
        return next((line for line in self.lines if line.started == started), None)

    def _miss(self, now_s: float) -> None:
        for line in self.lines:
            while line.due:
                number, call = next(iter(line.due.items()))
                if now_s - call.at_s < ABSENT_S:
                    break
                del line.due[number]
                self.missed_total += 1
                if not call.has_come:
                    self._note(ABSENT_S, 0.0)

    def _note(self, due_s: float, presence: float) -> None:
        self._due_s = smoothed(self._due_s, due_s)
        self._presence = max(0.05, smoothed(self._presence, presence))
