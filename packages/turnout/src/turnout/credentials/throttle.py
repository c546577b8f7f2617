"""How often somebody may guess: so many failures in a window, by whatever names the guesser or the guessed."""

from __future__ import annotations

from collections import OrderedDict, deque

from seawall.clock import Clock
from turnout.errors import TooManyAttempts

CAPACITY = 50_000
"""Names remembered; the one longest unused gives way."""


class Throttle:
    """At most `most` failed attempts in `window_s` for each name. For one event loop; nothing here waits.

    An attempt counts from its beginning, so that a thousand at once are not a thousand free guesses; one that succeeds is
    given back.
    """

    def __init__(self, clock: Clock, *, most: int, window_s: float) -> None:
        self._clock = clock
        self._most = most
        self._window_s = window_s
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, name: str) -> None:
        """Counts an attempt. Raises `TooManyAttempts` that says when the next one is free."""
        now = self._clock.time()
        attempts = self._attempts.setdefault(name, deque())
        self._attempts.move_to_end(name)
        while attempts and attempts[0] <= now - self._window_s:
            attempts.popleft()
        if len(attempts) >= self._most:
            raise TooManyAttempts(attempts[0] + self._window_s - now)
        attempts.append(now)
        if len(self._attempts) > CAPACITY:
            self._attempts.popitem(last=False)

    def give_back(self, name: str) -> None:
        """An attempt was no failure."""
        attempts = self._attempts.get(name)
        if attempts:
            attempts.pop()
        if not attempts:
            self._attempts.pop(name, None)
