"""The line of a waiting room: numbers, who is called, who came. Counters only, however many wait.

Whoever joins draws the next number. A number is *called* when there is room for it, in order; its holder, who looks in now
and then, then finds that it may go in. Numbers are called at a *pace* that rises while the gate has seats to spare and falls
while somebody waits at it, as TCP finds its share of a wire (Jacobson, "Congestion Avoidance and Control", SIGCOMM 1988).
So it need not be known who has left, how many pages one asks for, or how long each takes: all that is in the pace.

This is the take-a-number dispenser of shops, with tickets that can't be written by hand.
"""

from __future__ import annotations

from seawall.core.recent import RecentRate

ABSENT_S = 12.0
"""Who was called and has not come for so long is taken to have left: four looks of those at the front. Coming late is no
harm: the number stays called."""

DUE_LIMIT = 4_096
"""At most so many are called and have not come: what bounds the memory, and a rush should all come at once."""

LINES = 4
"""So many lines are known: this one, and those of servers before a restart."""

WINDOW_S = 30
"""Over so many seconds the speed of the line is counted."""

RISE, FALL = 0.05, 0.05
"""By what part the pace changes in a second. Whoever is called brings load some seconds later, and goes on bringing it: so it
doubles in 14 seconds. In a simulation 0.1 and 0.4 swung between idle and too full for minutes; these keep 85 % of the seats'
time in use and let nobody in who is then refused."""

SHORT_S = 0.1
"""A queue at the gate of so many seconds keeps its seats busy and is no wait."""

AT_MOST_S = 4.5
"""A pause between looks counts as so long and no more: a look and a half of those at the front."""


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
        self._calls = RecentRate(WINDOW_S)
        self._pace_per_s = 0.0
        self._credit = 0.0
        self._paced_s: float | None = None

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

    def known(self, started: int) -> tuple[int, int]:
        """What a ticket of a line that is known is to tell after a restart: how many were called, how many drew a number."""
        line = self._line(started) or self.own
        return line.called, line.last

    # Who is called.

    def call(self, now_s: float, spare: int, capacity_per_s: float, queue_limit: int = 0) -> None:
        """Call as many as there is room for: `spare` seats are free now; below 0, so many wait for one.

        `capacity_per_s` is what all seats together give a second, 0 where it is not known. `queue_limit` is how many may wait
        at the gate: a quarter of that is used, as long as it is a tenth of a second's work or less.
        """
        self._miss(now_s)
        if not self.waiting:
            self._paced_s = None
            return
        self._pace(now_s, spare, capacity_per_s, min(queue_limit / 4, capacity_per_s * SHORT_S))
        wanted = max(int(self._credit), spare - self.due)
        self._credit = max(0.0, self._credit - max(0, min(wanted, self.waiting)))
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
        """How many places the line moves a second, of late; None where it has not moved."""
        return self._calls.per_s(now_s) or self._pace_per_s or None

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

    def _pace(self, now_s: float, spare: int, capacity_per_s: float, queue: float) -> None:
        past_s = 0.0 if self._paced_s is None else min(AT_MOST_S, now_s - self._paced_s)
        if self._paced_s is None:
            self._pace_per_s, self._credit = max(self._pace_per_s / 2, capacity_per_s / 10, 0.5), 0.0
        self._paced_s = now_s
        change = 1 + RISE * past_s if spare > 0 else 1 - FALL * past_s if spare <= -queue else 1
        least, most = max(0.5, capacity_per_s / 50), 20 * max(1.0, capacity_per_s)
        self._pace_per_s = min(most, max(least, self._pace_per_s * change))
        if spare <= -queue:
            return  # those who wait at the gate go first
        self._credit = min(self._credit + self._pace_per_s * past_s, max(1.0, self._pace_per_s * AT_MOST_S))
