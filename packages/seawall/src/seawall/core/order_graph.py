"""In which order locks are taken, by name: an inversion shows the first time both orders have been seen.

No deadlock needs to happen: that A was once held when B was taken, and B is now held where A is wanted, is enough. The
idea is that of Linux's lockdep and of Abseil's `GraphCycles`. Abseil keeps a topological order to make an edge cheap;
here an edge is added once for each pair of names in a program's life, so a plain search will do.
"""

from __future__ import annotations

from dataclasses import dataclass

Stack = tuple[str, ...]
OrderKey = int | str


@dataclass(frozen=True, slots=True)
class OrderEdge:
    """`second` was taken by `owner` while it held `first`, at `stack`; `reason` says why, where it was accepted."""

    first: str
    second: str
    owner: str = ""
    stack: Stack = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Inversion:
    """`edge` is new and goes against `path`: the edges seen before that lead from its second lock to its first."""

    edge: OrderEdge
    path: tuple[OrderEdge, ...]


class OrderGraph:
    """The order learned so far. Whoever adds must be alone; `knows` may be asked by anyone at any time."""

    def __init__(self) -> None:
        self._edges: dict[tuple[str, str], OrderEdge] = {}
        self._after: dict[str, list[OrderEdge]] = {}  # without accepted edges: these prove nothing
        self._inverted: dict[tuple[str, str], Inversion] = {}

    def knows(self, first: str, second: str) -> bool:
        """Whether `second` after `first` was seen before, and is in order or accepted."""
        return (first, second) in self._edges

    def add(self, edge: OrderEdge) -> Inversion | None:
        """Learn `edge`, or say against what it goes. An inverted edge is not learned: the first order seen holds."""
        key = (edge.first, edge.second)
        if key in self._edges:
            return None
        path = self._path(edge.second, edge.first)
        if path is None:
            self._edges[key] = edge
            self._after.setdefault(edge.first, []).append(edge)
            return None
        inversion = Inversion(edge, path)
        self._inverted.setdefault(key, inversion)
        return inversion

    def accept(self, first: str, second: str, reason: str) -> None:
        """Let `second` be taken after `first` from now on, whatever else was seen."""
        key = (first, second)
        known = self._edges.get(key) or OrderEdge(first, second)
        self._edges[key] = OrderEdge(first, second, known.owner, known.stack, reason)
        self._after[first] = [edge for edge in self._after.get(first, ()) if edge.second != second]
        self._inverted.pop(key, None)

    def was_inverted(self, first: str, second: str) -> bool:
        """Whether this very inversion was found before."""
        return (first, second) in self._inverted

    def edges(self) -> tuple[OrderEdge, ...]:
        """All that was learned or accepted, sorted by name."""
        return tuple(edge for _, edge in sorted(self._edges.copy().items()))

    def inversions(self) -> tuple[Inversion, ...]:
        """The inversions found, each pair of names once, sorted by name."""
        return tuple(inversion for _, inversion in sorted(self._inverted.copy().items(), key=lambda item: item[0]))

    def clear(self) -> None:
        """Forget everything, accepted edges too."""
        self._edges.clear()
        self._after.clear()
        self._inverted.clear()

    def _path(self, start: str, goal: str) -> tuple[OrderEdge, ...] | None:
        """The shortest way from `start` to `goal` along edges seen; None where there is none."""
        came_by: dict[str, OrderEdge] = {}
        line = [start]
        for name in line:  # grows while it is walked
            for edge in self._after.get(name, ()):
                if edge.second in came_by or edge.second == start:
                    continue
                came_by[edge.second] = edge
                if edge.second == goal:
                    return self._walk_back(came_by, start, goal)
                line.append(edge.second)
        return None

    @staticmethod
    def _walk_back(came_by: dict[str, OrderEdge], start: str, goal: str) -> tuple[OrderEdge, ...]:
        path: list[OrderEdge] = []
        at = goal
        while at != start:
            path.append(came_by[at])
            at = came_by[at].first
        return tuple(reversed(path))


def is_in_key_order(outer: OrderKey | None, inner: OrderKey | None) -> bool:
    """Whether two locks of one name may be nested: both have a key of one type, and the inner one's is greater."""
    if isinstance(outer, int) and isinstance(inner, int):
        return outer < inner
    if isinstance(outer, str) and isinstance(inner, str):
        return outer < inner
    return False
