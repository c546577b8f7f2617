"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flashcrowd.arrivals.parse import Arrivals
from flashcrowd.engine.target import Target
from flashcrowd.users.user import User


@dataclass(frozen=True, slots=True)
class Limits:
    """What the generator allows itself. Whoever meets one makes the run void: it would say nothing about the target."""

    users: int = 10_000
    """Under way at once. Whoever comes when there are so many is not started."""
    connections: int = 10_000
    """Open at once."""
    lateness_s: float = 0.010
    """At the 99th percentile: how late requests may be sent by the generator's own fault."""
    drain_s: float = 10.0
    """For which users who have come may go on, after the last one came. It is made as long as the longest patience."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run."""

    target: Target
    url: str
    users: tuple[type[User], ...]
    users_name: str
    """The file or name they come from."""
    arrivals: Arrivals
    seed: int = 1
    data: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    verify: bool = True
    """Whether the target's certificate must be trusted."""
