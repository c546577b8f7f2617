"""How late an event loop runs what is due: the one figure that tells that something blocks it."""

from __future__ import annotations

import asyncio
from collections import deque

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import copy_of
from seawall.core.statistics import LoopStatistics
from seawall.observe.registry import REGISTRY
from seawall.runtime.who import get_ident

EVERY_S = 0.1
"""Ten looks a second cost about 0.1 % of a core and miss no stall that a person would notice."""

KEPT_LOOKS = 600
"""One minute of looks, for the worst of it."""


class LoopLag:
    """Measures the running loop's lag from `start` to `stop`. Both are called on the loop's own thread.

    Each look is a timer; its lag is by how much it ran late, in seconds. A stall shows once the loop runs again; one
    that lasts shows in the statistics meanwhile, since they count the time by which the next look is overdue.
    """

    def __init__(self, name: str = "main") -> None:
        self.name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ident = 0  # of the loop's thread, once started
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._lags_s: deque[float] = deque([0.0], maxlen=KEPT_LOOKS)

    def start(self) -> None:
        """Begin to look at the running loop. Raises RuntimeError where none runs."""
        self.stop()
        self._loop = asyncio.get_running_loop()
        self._ident = get_ident()
        self._look_again()
        REGISTRY.add(self)

    def stop(self) -> None:
        """End the looks. Harmless when not started."""
        REGISTRY.remove(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def statistics(self) -> LoopStatistics:
        """The last lag and the worst one of the last minute."""
        lag, lags = self.lag_s(), copy_of(self._lags_s)
        return LoopStatistics(name=self.name, lag_s=lag, max_lag_s=max(max(lags), lag))

    def lag_s(self) -> float:
        """The last lag, or by how much the next look is late by now, in seconds; 0 before the first. Does not block."""
        return max(self._lags_s[-1], self.overdue()[0])

    def overdue(self) -> tuple[float, int | None]:
        """By how many seconds the next look is late by now, and the ident of the loop's thread (None when stopped)."""
        if self._timer is None:
            return 0.0, None
        return SYSTEM_CLOCK.monotonic() - self._due_s, self._ident

    def _look(self) -> None:
        self._lags_s.append(max(0.0, SYSTEM_CLOCK.monotonic() - self._due_s))
        self._look_again()

    def _look_again(self) -> None:
        assert self._loop is not None
        self._due_s = SYSTEM_CLOCK.monotonic() + EVERY_S
        self._timer = self._loop.call_later(EVERY_S, self._look)
