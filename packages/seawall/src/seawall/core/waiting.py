"""A place in a line, as people read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """Someone in a line: who, and for how long by now (seconds)."""

    who: str
    waited_s: float
