"""Who waits for what, as trees: at each root a resource whose holders wait for nothing, below it all who are kept by it.

Pure. The root is where to look: whatever its holders are doing is what everybody below it waits for.
"""

from __future__ import annotations

from dataclasses import dataclass

from seawall.core.statistics import Snapshot
from seawall.errors import Wait

SHOWN = 200
"""How many waiters are shown at the most. The page must stay small however many wait."""

DEPTH = 20
"""How deep a tree is drawn before the rest of it is drawn by itself."""

_Key = tuple[str, tuple[str, ...]]
"""A resource, and those who hold it: two may share a name."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """Someone who waits, for how long by now (seconds; None where that is not known), and who waits for it in turn."""

    who: str
    waited_s: float | None
    keeps: tuple[Queue, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """A resource that somebody waits for: its `holders`, and the `waiters` in line, of which `hidden` are not shown.

    `is_repeated` where it is shown in full elsewhere: then it has no waiters here.
    """

    resource: str
    holders: tuple[str, ...]
    waiters: tuple[Waiter, ...]
    hidden: int = 0
    is_repeated: bool = False


def wait_tree(snapshot: Snapshot, *, shown: int = SHOWN) -> tuple[Queue, ...]:
    """The trees of the snapshot's `waits`, the one that keeps most waiting first, with `shown` waiters at the most.

    A deadlock is cut open at any place; a tree that is too deep goes on as another one.
    """
    return _Trees(snapshot, shown).grow()


class _Trees:
    def __init__(self, snapshot: Snapshot, shown: int) -> None:
        self._left = shown
        self._waited_s = _waited_s(snapshot)
        self._lines: dict[_Key, list[Wait]] = {}
        for wait in snapshot.waits:
            self._lines.setdefault((wait.resource, wait.holders), []).append(wait)
        self._grown: set[_Key] = set()
        self._too_deep: list[_Key] = []

    def grow(self) -> tuple[Queue, ...]:
        waiting = {wait.waiter for line in self._lines.values() for wait in line}
        roots = [key for key in self._lines if waiting.isdisjoint(key[1])]
        roots.sort(key=lambda key: -len(self._lines[key]))
        trees = self._grow_from(roots)
        trees += self._grow_from(self._too_deep)
        trees += self._grow_from(list(self._lines))  # what is left keeps itself: a deadlock, and what waits for it
        trees += self._grow_from(self._too_deep)
        return tuple(trees)

    def _grow_from(self, keys: list[_Key]) -> list[Queue]:
        trees = []
        for key in keys:  # those that are too deep grow while they are walked
            if key not in self._grown and self._left > 0:
                trees.append(self._queue(key, 0))
        return trees

    def _queue(self, key: _Key, depth: int) -> Queue:
        resource, holders = key
        if depth == DEPTH:
            self._too_deep.append(key)
        if key in self._grown or depth == DEPTH:
            return Queue(resource, holders, (), is_repeated=True)
        self._grown.add(key)
        line = self._lines[key]
        room = min(len(line), self._left)
        self._left -= room
        waiters = tuple(
            Waiter(wait.waiter, self._waited_s.get(wait.waiter), self._kept_by(wait.waiter, depth + 1))
            for wait in line[:room]
        )
        return Queue(resource, holders, waiters, hidden=len(line) - room)

    def _kept_by(self, who: str, depth: int) -> tuple[Queue, ...]:
        if self._left <= 0:
            return ()
        return tuple(self._queue(key, depth) for key in self._lines if who in key[1])


def _waited_s(snapshot: Snapshot) -> dict[str, float]:
    lines = (
        *(lock.waiters for lock in snapshot.locks),
        *(lock.waiters for lock in snapshot.read_write_locks),
        *(semaphore.waiters for semaphore in snapshot.semaphores),
        *(pool.waiters for pool in snapshot.resource_pools),
    )
    return {waiting.who: waiting.waited_s for line in lines for waiting in line}
