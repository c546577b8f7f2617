"""The one way to ask for the time, so that a test can bring its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What tells the time. `seawall.testing.ManualClock` is the one for tests."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back. For durations and deadlines."""
        ...

    def time(self) -> float:
        """Seconds since 1970-01-01 UTC, as the system believes. May jump. For what people read."""
        ...


class SystemClock:
    """The operating system's clocks."""

    __slots__ = ()

    # Static, so that a call costs no more than calling `time` itself.
    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)


def use_time_of(monotonic: Callable[[], float] | None) -> None:
    """Have `SYSTEM_CLOCK.monotonic` ask `monotonic`, as a script's threads do; None is the system's again."""
    SystemClock.monotonic = staticmethod(monotonic or time.monotonic)


SYSTEM_CLOCK: Clock = SystemClock()
"""The clock of everything that was not given another."""
