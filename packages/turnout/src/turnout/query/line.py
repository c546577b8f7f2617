"""The line before the store: statements go in as the gate lets them, and whoever asked can see where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from seawall import Fixed, Gate, Workload
from seawall.admission.admitted import Admitted

WAITING = 2_000
"""How many statements may wait as one workload. A page asks for some 13."""


class Line(NamedTuple):
    """A gate, and the workload as which one runner's statements come to it."""

    gate: Gate
    workload: str


def make_query_gate(seats: int, timeout_s: float) -> Gate:
    """The gate before the read pool: pages first, then programs, and files when there is room."""
    return Gate(
        "queries",
        Fixed(seats),
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
