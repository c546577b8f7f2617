"""Figures as evidence has them: rates, times, and the part of one that is excess."""

from __future__ import annotations

from flashcrowd.verdict.level import Level
from flashcrowd.verdict.load import Load


def rate(level: Level) -> str:
    """The load of a level: `140/s`."""
    return f"{level.offered_per_s:.0f}/s" if level.offered_per_s >= 10 else f"{level.offered_per_s:.1f}/s"


def ms(seconds: float) -> str:
    """A time: `12 ms`, `3.4 ms`."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def percent(part: float) -> str:
    """A part as reports write it: `94 %`."""
    return f"{100 * part:.0f} %"


def excess(load: Load, level: Level) -> float:
    """The part of the time that is more than when calm."""
    return max(0.0, level.mean_s - load.alone_s) / level.mean_s
