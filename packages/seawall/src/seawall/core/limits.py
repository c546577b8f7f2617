"""How many may be inside: apart from the gate, which asks who. A limit is plain arithmetic, without clock or thread.

`Fixed` is a number. `Adaptive` looks for it. A limit of one's own needs `seats` and three methods, see `Limit`.
"""

from __future__ import annotations

from typing import Literal, Protocol

from seawall.errors import Misuse

Outcome = Literal["success", "ignored", "dropped"]
"""How work inside ended: *success*; *ignored*, which tells nothing of the load (a stream, an early error); *dropped*, since
what stands behind was overloaded (a time-out, a refusal). The three of Netflix's concurrency-limits."""


class Limit(Protocol):
    """How many may be inside. Called by one thread at a time, with an internal lock held: be quick, and call nothing back."""

    seats: int
    """The limit now, 1 or more. Read after each call."""

    wants_delays: bool
    """Whether `delayed` is to be called at all."""

    def left(self, outcome: Outcome, now_s: float, is_wanted: bool) -> None:
        """One has left at `now_s` (monotonic). `is_wanted`: all seats were taken and somebody waited for one."""
        ...

    def delayed(self, delay_s: float, now_s: float) -> None:
        """Somebody who was let in had to wait `delay_s` seconds for the resource itself."""
        ...


class Fixed:
    """Always the same number of seats, 1 or more. Raises Misuse for less.

    The right one where the number is known: connections, licences, cores for work that computes. What to begin with.
    """

    __slots__ = ("seats",)

    wants_delays = False

    def __init__(self, seats: int) -> None:
        if seats < 1:
            raise Misuse(f"a limit must be 1 or more, not {seats}")
        self.seats = seats

    def left(self, outcome: Outcome, now_s: float, is_wanted: bool) -> None:
        """See `Limit`."""

    def delayed(self, delay_s: float, now_s: float) -> None:
        """See `Limit`."""


STEPS = (2.0, 1.5, 1.25, 1.1)
"""By what factor a trial changes the limit: coarse ones first, since they need few samples to be told from noise."""

PAYS = 0.1
"""More seats are kept where at least this part of what they could add was added. A resource that gains less and less with
each seat ends about so far below its best."""

FEWEST, MOST, SURE = 18, 180, 1.0
"""A throughput counted over n departures is off by about 1/√n, the difference of two by √(2/n). A trial ends when what it
brought is further from what it had to bring than SURE times that. It takes FEWEST/(step-1)² departures at each limit at
the least: where seats add all they can that is enough. At MOST/(step-1)² it is decided by what was counted, right or not:
it is a close thing then. Seats that add nothing are kept in one of six trials, given back in five of six the other way."""

MOST_DEPARTURES = 5_000

SHRINKS_AT_MOST = 0.7
SHRUNK_PAUSE_S = 1.0
PAUSES_S = (3.0, 60.0)
DROPPED_SHARE = 0.1
FORGETS_PER_S = 0.01
"""Where the delay was too long is forgotten within minutes: the resource may have become faster."""


class Adaptive:
    """Finds how many seats the resource behind the gate has use for, between `minimum` and `maximum`.

    Two signals, neither of which is how long a request took: under the GIL, or behind a shared database, that measures
    the neighbours.

    *Our own queueing delay.* What was let in and then has to wait for the resource itself was let in too early. A task or
    thread that is given a seat and wakes late stood in line for the loop, the GIL or a core; the gate measures that by
    itself, and `Gate.observe_delay` takes what others measure (a pool's queue, a connection's). While the *least* delay of
    an interval of `interval_s` stays above `target_delay_s`, a queue stands there and never empties: the limit shrinks by
    up to 30 %. Sources: DAGOR (Zhou et al., "Overload Control for Scaling WeChat Microservices", SoCC 2018: queueing time
    and not response time, target 20 ms, which is ours), Breakwater (Cho et al., OSDI 2020: shrink by how far above the
    target), CoDel (Nichols and Jacobson, 2012: the least delay over 100 ms tells a standing queue from a burst), which
    Meta's folly uses for its executors.

    *Throughput.* A queue inside a database is not seen from here, so more seats must also pay. While people wait, the limit
    is tried one step higher, or lower, in turn with the limit as it is, for as many departures as it takes to tell the
    difference from noise. A higher one is kept where a tenth of the seats added came back as throughput, a lower one where
    less than a tenth of those taken away was lost. Steps become finer as both directions fail. So the limit stays about
    where more seats stop to pay; noise moves it one step, and trials the other way move it back, downwards rather than
    upwards. Gradient limits compare with a remembered least latency instead, and drift upwards under a load that lasts;
    there is nothing remembered here to drift against.

    Where nobody waits nothing is tried, since throughput then tells of the load only. `initial` is the limit to begin with.
    Raises Misuse where the numbers make no sense. Until it has settled it may be off either way for some seconds.
    """

    __slots__ = (
        "_base", "_base_seen", "_ceiling", "_count", "_departures", "_dropped", "_failed", "_interval_from_s", "_interval_s",
        "_is_up", "_least_s", "_maximum", "_minimum", "_pause_s", "_paused_until_s", "_rounds", "_settles", "_since_s",
        "_step", "_target_s", "_trial", "_trial_seen", "seats",
    )  # fmt: skip

    wants_delays = True

    def __init__(
        self,
        *,
        initial: int = 4,
        minimum: int = 1,
        maximum: int = 1000,
        target_delay_s: float = 0.02,
        interval_s: float = 0.1,
    ) -> None:
        if not 1 <= minimum <= initial <= maximum:
            raise Misuse(f"1 <= minimum <= initial <= maximum must hold, not {minimum}, {initial}, {maximum}")
        if target_delay_s <= 0 or interval_s <= 0:
            raise Misuse(f"target_delay_s and interval_s must be above 0, not {target_delay_s}, {interval_s}")
        self.seats = initial
        self._minimum, self._maximum = minimum, maximum
        self._target_s, self._interval_s = target_delay_s, interval_s
        # The delay's part.
        self._interval_from_s: float | None = None
        self._least_s: float | None = None
        self._departures = self._dropped = 0
        self._ceiling = maximum + 1.0  # trials stay below: there the delay was too long
        # The throughput's part: a base is measured, then a trial, in turn, each time for longer, until one is the better.
        self._base = initial
        self._trial: int | None = None
        self._base_seen, self._trial_seen = (0, 0.0), (0, 0.0)  # departures, in so many seconds
        self._rounds = 0
        self._step = 0
        self._is_up = True
        self._failed = 0
        self._pause_s = PAUSES_S[0]
        self._paused_until_s = 0.0
        self._since_s: float | None = None
        self._settles = self._count = 0

    def delayed(self, delay_s: float, now_s: float) -> None:
        """See `Limit`."""
        self._least_s = delay_s if self._least_s is None else min(self._least_s, delay_s)
        self._judge_interval(now_s)

    def left(self, outcome: Outcome, now_s: float, is_wanted: bool) -> None:
        """See `Limit`."""
        self._departures += 1
        self._dropped += outcome == "dropped"
        self._judge_interval(now_s)
        if not is_wanted and self.seats == self._base:
            self._forget_trial()  # a base without demand would be the load, not what the seats are good for
        elif now_s >= self._paused_until_s:
            self._measure(now_s)

    # By delay.

    def _judge_interval(self, now_s: float) -> None:
        if self._interval_from_s is None:
            self._interval_from_s = now_s
        if now_s - self._interval_from_s < self._interval_s:
            return
        least_s, dropped = self._least_s, self._dropped > DROPPED_SHARE * self._departures
        self._interval_from_s, self._least_s = now_s, None
        self._departures = self._dropped = 0
        if least_s is not None and least_s > self._target_s:
            self._shrink(max(SHRINKS_AT_MOST, 1 - 0.1 * least_s / self._target_s), now_s)
        elif dropped:
            self._shrink(1 - 0.1, now_s)
        else:
            self._ceiling = min(self._maximum + 1.0, self._ceiling * (1 + FORGETS_PER_S * self._interval_s))

    def _shrink(self, factor: float, now_s: float) -> None:
        self._ceiling = max(self._minimum + 1, self.seats)
        self._settle_on(max(self._minimum, min(self.seats - 1, int(self.seats * factor))))
        self._pause_s = PAUSES_S[0]
        self._paused_until_s = now_s + SHRUNK_PAUSE_S

    # By throughput.

    def _measure(self, now_s: float) -> None:
        if self._since_s is None:
            if self._settles == 0:
                self._since_s = now_s
                self._count = 0
            else:
                self._settles -= 1  # those who came in under the limit before
            return
        self._count += 1
        elapsed_s = now_s - self._since_s
        if self._count < self._departures_for(FEWEST) * 2**self._rounds or elapsed_s < self._interval_s:
            return
        seen = self._count, elapsed_s
        self._since_s = None
        if self._trial is None or self.seats != self._trial:
            self._base_seen = _both(self._base_seen, seen)
            self._try(now_s)
        else:
            self._trial_seen = _both(self._trial_seen, seen)
            self._judge_trial(now_s)

    def _departures_for(self, count: float) -> float:
        """Of `count`, which is for a step to twice as many, how many it takes for this one."""
        other = self._goal() if self._trial is None else self._trial
        ratio = max(self._base, other) / max(1, min(self._base, other))
        return float(min(MOST_DEPARTURES, count / max(ratio - 1, 0.02) ** 2))

    def _goal(self) -> int:
        step = STEPS[self._step]
        if self._is_up:
            return int(min(self._maximum, max(self._ceiling - 1, self._base), max(self._base + 1, self._base * step)))
        return max(self._minimum, min(self._base - 1, round(self._base / step)))

    def _try(self, now_s: float) -> None:
        goal = self._goal() if self._trial is None else self._trial
        if goal == self._base:
            self._forget_trial()
            self._fail(now_s)
            return
        self._trial = self.seats = goal
        self._settles = goal

    def _judge_trial(self, now_s: float) -> None:
        assert self._trial is not None
        base, trial = self._base_seen, self._trial_seen
        needed = 1 + PAYS * (self._trial / self._base - 1)
        beyond = (trial[0] / trial[1]) / (base[0] / base[1]) - needed
        noise = needed * (1 / base[0] + 1 / trial[0]) ** 0.5
        if abs(beyond) < SURE * noise and trial[0] < self._departures_for(MOST):
            self._rounds += 1
            self.seats = self._settles = self._base  # in turn: so what else changes meanwhile meets both
        elif beyond >= 0:
            self._failed = 0
            self._pause_s = PAUSES_S[0]
            self._base, self._base_seen = self._trial, trial
            self._trial, self._trial_seen, self._rounds = None, (0, 0.0), 0
            self._try(now_s)  # on in the same direction
        else:
            self._settle_on(self._base)
            self._fail(now_s)

    def _fail(self, now_s: float) -> None:
        self._is_up = not self._is_up
        self._failed += 1
        if self._failed < 2:
            return
        self._failed = 0
        if self._step < len(STEPS) - 1:
            self._step += 1
            return
        # Neither direction is better. Look again later; and a step coarser, in case the world has changed.
        self._paused_until_s = now_s + self._pause_s
        self._pause_s = min(PAUSES_S[1], self._pause_s * 2)
        self._step -= 1

    def _settle_on(self, seats: int) -> None:
        self.seats = self._base = self._settles = seats
        self._forget_trial()

    def _forget_trial(self) -> None:
        self._trial = self._since_s = None
        self._base_seen = self._trial_seen = (0, 0.0)
        self._rounds = 0


def _both(one: tuple[int, float], other: tuple[int, float]) -> tuple[int, float]:
    return one[0] + other[0], one[1] + other[1]
