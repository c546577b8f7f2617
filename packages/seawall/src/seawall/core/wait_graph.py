"""Who can never go on: the wait-for graph as plain data.

A party that waits has *needs*, and goes on when each is met. A need names those who stand in the way and how many of
them must get through: one of one for a mutex (a *cycle* is a deadlock), one of N for a semaphore (only a *knot* is:
every holder is itself stuck), all of N for a writer that waits for readers. Whoever has no need is taken to go on, and
to give up in the end all that it holds. This is the p-out-of-q model of Bracha and Toueg, "Distributed deadlock
detection" (1987), solved on one machine by striking out, again and again, everybody whose needs can be met.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Need(Generic[P]):
    """Why a party waits: `needed` of `blockers` must get through. `wait` tells this wait from every other one.

    `outsiders` names others in the way of whom no more is known; they are taken to go on. What is `hearsay` was so a
    while ago, as somebody else (a database) said, and may be over by now.
    """

    resource: str
    blockers: tuple[P, ...]
    needed: int
    wait: object
    outsiders: tuple[str, ...] = ()
    is_hearsay: bool = False


Graph = Mapping[P, Sequence[Need[P]]]
"""The needs of each party that waits. Parties that are not in it, or have none, can go on."""


def stuck(graph: Graph[P]) -> frozenset[P]:
    """The parties that can never go on, whatever the others do."""
    left = {party for party, needs in graph.items() if needs}
    while True:
        free = {party for party in left if all(_can_be_met(need, left) for need in graph[party])}
        if not free:
            return frozenset(left)
        left -= free


def knot_of(party: P, graph: Graph[P]) -> tuple[P, ...]:
    """The deadlock that `party` takes part in: itself first, then the others as they are reached from it.

    Empty where it can go on, and where it merely waits for a deadlock of others: without it they would be stuck too.
    """
    left = stuck(graph)
    if party not in left:
        return ()
    reached = _reached_from(party, graph, left)
    knot = tuple(other for other in reached if party in _reached_from(other, graph, left, count_start=False))
    return knot if party in knot else ()


def _can_be_met(need: Need[P], left: set[P]) -> bool:
    return sum(blocker not in left for blocker in need.blockers) >= need.needed


def _reached_from(start: P, graph: Graph[P], left: frozenset[P], *, count_start: bool = True) -> list[P]:
    """Whom `start` waits for, directly or not, among those `left`; nearest first."""
    found: dict[P, None] = {start: None} if count_start else {}
    line = [start]
    for party in line:  # grows while it is walked
        for need in graph[party]:
            for blocker in need.blockers:
                if blocker in left and blocker not in found:
                    found[blocker] = None
                    line.append(blocker)
    return list(found)
