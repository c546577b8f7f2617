"""Permits and the line of those who wait for one: the single piece of state under every lock.

Both sides are deques, and each step is one atomic operation on one of them, so that no lock is needed inside.
What keeps wake-ups from getting lost is one rule: *whoever queues or frees looks again afterwards*. A waiter appends
itself and then looks for a free permit; a giver frees its permit and then looks for waiters. Whatever order the two
interleave in, the later look sees the other's step.

A permit is never free while someone waits, but for the instant between those looks, so the line is first come, first
served: a giver hands its permit to the first waiter and never puts it where a newcomer could take it. Whoever joins in
that very instant may be overtaken once for each permit, by those who come in it too, and by nobody after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Waiter(Protocol):
    """Someone in the line."""

    over: bool
    """Set by the waiter itself when its wait has ended either way."""

    def grant(self) -> bool:
        """Give the waiter its permit and wake it. False where it has left, or can never run again."""
        ...


class Line:
    """Free permits and waiters. Every method may be called from any thread at any time; none blocks."""

    __slots__ = ("free", "handing", "waiters")

    def __init__(self, permits: int) -> None:
        self.free: deque[None] = deque([None] * permits)
        self.waiters: deque[Waiter] = deque()
        # Those between the line and their permit: already out of `waiters`, not yet awake. Without it a look at
        # holders and waiters would miss them, and a blocked event loop would wait for its own task.
        self.handing: dict[Waiter, None] = {}

    def join(self, waiter: Waiter) -> None:
        """Queue `waiter`; it may be granted before this returns."""
        self.waiters.append(waiter)
        self.settle()

    def leave(self, waiter: Waiter) -> None:
        """Take `waiter`, which has given up and can't be granted any more, out of the line."""
        waiter.over = True
        try:
            self.waiters.remove(waiter)
        except ValueError:
            pass  # a giver has just taken it out, and will find that it has left
        self.handing.pop(waiter, None)

    def arrived(self, waiter: Waiter) -> None:
        """Note that `waiter` is awake and accounts for its permit itself from now on."""
        waiter.over = True
        self.handing.pop(waiter, None)

    def give(self) -> None:
        """Give one permit, which the caller holds, to the first waiter, or else free it."""
        while True:
            while self.waiters:
                if self._hand_over():
                    return
            self.free.append(None)
            if not self.waiters:
                return
            try:  # one came meanwhile, and may have looked too early
                self.free.pop()
            except IndexError:
                return  # whoever has the permit now looks at the waiters when giving it back

    def settle(self) -> None:
        """Bring free permits and waiters together until one side runs out."""
        while self.waiters:
            try:
                self.free.pop()
            except IndexError:
                return  # whoever holds the permit looks at the waiters when giving it back
            # Kept in hand until nobody waits: were it freed after each waiter that turns out to have left, newcomers
            # could overtake the same waiter again and again.
            Line.give(self)

    def _hand_over(self) -> bool:
        try:
            waiter = self.waiters[0]
        except IndexError:
            return False
        self.handing[waiter] = None
        try:
            self.waiters.remove(waiter)  # it is at the front: one step
        except ValueError:  # another giver took it, or it left
            if waiter.over:
                self.handing.pop(waiter, None)
            return False
        if waiter.grant():
            return True
        waiter.over = True
        self.handing.pop(waiter, None)
        return False

    def queued(self) -> Iterator[Waiter]:
        """The waiters, first in line first, as they stand now."""
        return iter(copy_of(self.waiters))

    def in_transit(self) -> list[Waiter]:
        """The waiters that were given a permit and are not awake yet."""
        return list(self.handing)


def copy_of(line: deque[T]) -> list[T]:
    """The deque's items at one moment, though others change it meanwhile."""
    while True:
        try:
            return list(line)
        except RuntimeError:  # changed while being read; the next try is a fresh one
            continue
