"""The line before the store: statements go in as the gate lets them, and whoever asked can see where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import ceil
from typing import NamedTuple

from seawall import Gate, Workload
from seawall.admission.admitted import Admitted
from seawall.core.limits import Limit, Outcome

WAITING = 2_000
"""How many statements may wait as one workload. A page asks for some 13."""


AHEAD_S = 0.03
"""For how long the threads have work when the loop is busy with pages: about what it takes to draw a few."""
FIRST_S = 0.01
"""How long a statement is taken to be before one has run: about that of a page over a million events."""
AHEAD_AT_MOST = 12
"""Statements ahead of each thread, however quick they are: whoever comes is let in after these."""


class AtHand:
    """The limit before the read pool: those that run, and as many ahead as the threads carry out in `AHEAD_S`.

    The loop lets the next one in when one has ended, and it may be drawing pages just then: where statements take a
    millisecond the threads would stand idle in between. Where they take a tenth of a second one ahead of each thread is
    enough, and whoever comes need not wait for more than that, whatever others have asked for.
    """

    wants_delays = False

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._statement_s = FIRST_S
        self.seats = self._seats()

    def ran(self, took_s: float) -> None:
        """Note that a statement took so many seconds. From any thread; of two at once one may be lost."""
        self._statement_s += (took_s - self._statement_s) / 16
        self.seats = self._seats()

    def left(self, outcome: Outcome, now_s: float, is_wanted: bool) -> None:
        """See `seawall.Limit`."""

    def delayed(self, delay_s: float, now_s: float) -> None:
        """See `seawall.Limit`."""

    def _seats(self) -> int:
        return self._threads * (1 + min(AHEAD_AT_MOST, max(1, ceil(AHEAD_S / max(self._statement_s, 1e-6)))))


class Line(NamedTuple):
    """A gate, and the workload as which one runner's statements come to it; `limit` is told how long they take."""

    gate: Gate
    workload: str
    limit: AtHand | None = None


def make_query_gate(limit: Limit, timeout_s: float) -> Gate:
    """The gate before the read pool: pages first, then programs, and files when there is room."""
    return Gate(
        "queries",
        limit,
        [
            Workload("dashboard", "interactive", 0.5, WAITING, timeout_s),
            Workload("live", "interactive", 0.0, WAITING, timeout_s, max_share=0.5),
            Workload("api", "default", 0.25, WAITING, timeout_s),
            Workload("export", "background", 0.0, WAITING, timeout_s, max_share=0.5),
        ],
    )


class Spot:
    """One statement's: `admitted` is there once it has come to the gate."""

    __slots__ = ("__weakref__", "admitted")

    def __init__(self) -> None:
        self.admitted: Admitted | None = None


class Following:
    """The statements that a task has asked for, its own and those it shares."""

    def __init__(self) -> None:
        self._spots: list[Spot] = []

    def note(self, spot: Spot) -> None:
        """One more."""
        self._spots.append(spot)

    def place(self) -> int | None:
        """The place of the last of them in line, from 1; None where none waits. Does not block."""
        places = [spot.admitted.place() for spot in self._spots if spot.admitted is not None]
        return max((place for place in places if place is not None), default=None)


_FOLLOWING: ContextVar[Following | None] = ContextVar("turnout_following", default=None)


@contextmanager
def following(found: Following) -> Iterator[None]:
    """What is asked for inside is noted in `found`."""
    token = _FOLLOWING.set(found)
    try:
        yield
    finally:
        _FOLLOWING.reset(token)


def note_spot(spot: Spot) -> None:
    """Tells whoever follows."""
    found = _FOLLOWING.get()
    if found is not None:
        found.note(spot)
