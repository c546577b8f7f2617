"""A line with one permit that some waiters take only to pass on at once: what makes a read-write lock fair.

Everybody goes through the turnstile in the order of coming. A reader is noted as a reader by whoever lets it through,
which then goes on with the next waiter; a writer keeps the turnstile until it has written, so nobody overtakes it, in
either direction. This is the known "no starvation" solution of the readers-writers problem; ours has the readers at the
front let through in one go, instead of each having to wake before the next.
"""

from __future__ import annotations

from collections import deque

from seawall.core.line import Line


class Turnstile(Line):
    """A `Line` of one permit. A waiter that needs it no longer once granted calls `pass_later` from its `grant`."""

    __slots__ = ("_passed",)

    def __init__(self) -> None:
        super().__init__(1)
        # The permits of those who went through and left theirs behind. Whoever let them through gives them on; so does
        # anyone else who comes by, and each is taken by exactly one.
        self._passed: deque[None] = deque()

    def pass_later(self) -> None:
        """Leave a permit for whoever lets people through just now."""
        self._passed.append(None)

    def give(self) -> None:
        """See `Line.give`."""
        super().give()
        self._pass_on()

    def settle(self) -> None:
        """See `Line.settle`."""
        super().settle()
        self._pass_on()

    def _pass_on(self) -> None:
        while self._passed:
            try:
                self._passed.pop()
            except IndexError:
                return
            super().give()
