"""How many threads a pool should have: decided from figures alone, so that each rule can be tested by itself.

A pool starts threads on demand up to `Bounds.eager`, about one a core. Above that it grows one thread a look, and only
where that can help: something waits, the interpreter lock (GIL) is not what everyone waits for, and the cores are not
full. Whether the GIL is, is told by how late a thread wakes that asked for a short sleep: to run again it needs the
GIL like everybody else. (1 − cpu/wall of the workers cannot tell: eight purely computing threads read 0.82.)

After .NET's pool, which starts as many threads as cores on demand and more when the queue stands still. What differs:
the GIL's veto in place of hill climbing, whose steps drown in noise where work is short.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

LOOK_EVERY_S = 0.01
"""From idle to 64 threads in two thirds of a second, at well below 1 % of a core."""

LONG_WAIT_S = 0.005
"""Work that waits less than that waits for its turn, not for a thread."""

STARVED_S = 1.0
"""When nothing has left the queue for so long, one more thread is tried in spite of every veto: what holds the workers
up need not be the GIL, though somebody else keeps it busy. .NET's own figure is 0.5 s."""

LATE_SHARE = 0.8
"""Of the switch interval: a thread that finds the GIL taken by one computing thread waits for a whole interval."""

LATE_AT_LEAST_S = 0.0006
"""Timer slack and scheduling alone make a sleeper some 0.1–0.3 ms late."""

FULL_SHARE = 0.95
"""Of the cores: beyond that the work itself is what takes the time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a pool may have: `eager` threads on demand, `max_threads` where it helps."""

    eager: int
    max_threads: int


@dataclass(frozen=True, slots=True)
class Look:
    """A pool as seen at one look. `taken` counts work that left the queue since the look before, `still_s` says how
    long nothing has."""

    allowed: int
    threads: int
    blocked: int
    queued: int
    oldest_s: float
    taken: int
    still_s: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What the process as a whole is doing. `lateness_s` of a waking thread, `cpu_share` of all cores (0–1)."""

    lateness_s: float
    late_from_s: float
    cpu_share: float

    @property
    def is_late(self) -> bool:
        """Whether threads wait for the GIL."""
        return self.lateness_s > self.late_from_s

    @property
    def is_crowded(self) -> bool:
        """Whether several threads compute at once, so that fewer would do as much."""
        return self.lateness_s > 2.5 * self.late_from_s


@dataclass(frozen=True, slots=True)
class Decision:
    """How many threads to allow from now on, and why."""

    allowed: int
    reason: str


def decide(look: Look, bounds: Bounds, machine: Machine) -> Decision:
    """How many threads to allow after `look`. At most one more or one less than before."""
    if machine.is_crowded and look.allowed > bounds.eager:
        return Decision(look.allowed - 1, "fewer: threads wait for the GIL")
    if look.queued == 0:
        return Decision(look.allowed, "nothing waits")
    if look.allowed >= bounds.max_threads:
        return Decision(look.allowed, "at max_threads")
    if look.threads < look.allowed:
        return Decision(look.allowed, "a thread is on its way")
    if look.still_s >= STARVED_S:
        return Decision(look.allowed + 1, "starved: nothing left the queue for long")
    if look.oldest_s < LONG_WAIT_S:
        return Decision(look.allowed, "the queue moves")
    if machine.is_late:
        return Decision(look.allowed, "veto: threads wait for the GIL")
    if machine.cpu_share >= FULL_SHARE:
        return Decision(look.allowed, "veto: every core is busy")
    if look.taken == 0:
        return Decision(look.allowed + 1, "nothing left the queue")
    if are_mostly_blocked(look.blocked, look.threads):
        return Decision(look.allowed, "veto: most threads wait in a lock, and one more would too")
    if look.blocked:
        return Decision(look.allowed + 1, "a worker is blocked")
    return Decision(look.allowed + 1, "work waits and the GIL is free")


def are_mostly_blocked(blocked: int, threads: int) -> bool:
    """Whether so many wait in something known that another one would most likely join them there."""
    return blocked * 2 >= threads > 1


class Lateness:
    """The typical lateness of the last few wake-ups; one odd one does not count."""

    __slots__ = ("_last",)

    def __init__(self, kept: int = 3) -> None:
        self._last: deque[float] = deque(maxlen=kept)

    def add(self, late_s: float) -> float:
        """Note one more (seconds) and return the median."""
        self._last.append(late_s)
        return median(self._last)


def late_from_s(switch_interval_s: float) -> float:
    """From which lateness on a waking thread must have waited for the GIL."""
    return max(LATE_AT_LEAST_S, LATE_SHARE * switch_interval_s)
