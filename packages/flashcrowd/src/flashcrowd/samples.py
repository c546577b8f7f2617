"""What was seen: of each request by the client, and of the target by itself. Plain data; nothing here knows who took it.

All instants are seconds on one clock, the run's own (`flashcrowd.clock`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Outcome = Literal["good", "refused", "timed_out", "wrong", "broken"]
"""`refused`: 429 or 503, the service said no. `wrong`: an answer that fails a check, or another error status.
`timed_out`: no whole answer within the patience of the user. `broken`: the connection failed."""

ResourceKind = Literal[
    "lock",
    "semaphore",
    "gate",
    "thread pool",
    "connection pool",
    "queue",
    "cpu",
    "database",
    "event loop",
    "downstream",
]


class Sample(NamedTuple):
    """One request. `latency_s` counts from the instant at which the user meant to send it, not from when it was sent."""

    name: str
    intended_s: float
    sent_s: float
    first_byte_s: float | None
    """None where no byte came."""
    ended_s: float
    status: int
    """0 where no answer came."""
    outcome: Outcome
    attempt: int = 1
    """1 for the first, 2 for the first retry."""
    retry_after_s: float | None = None
    waits_s: Mapping[str, float] | None = None
    """The server's own breakdown, from `Server-Timing`, seconds by name; None where it sent none or it was not kept."""

    @property
    def latency_s(self) -> float:
        """Seconds from the intended start to the end."""
        return self.ended_s - self.intended_s

    @property
    def lateness_s(self) -> float:
        """Seconds by which the generator itself was late in sending."""
        return self.sent_s - self.intended_s


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing of the target that can be full, at one instant. What the target does not tell is None, never 0."""

    name: str
    kind: ResourceKind
    capacity: float | None = None
    """Permits, threads, connections, places, cores."""
    in_use: float | None = None
    waiting: float | None = None
    wait_s_total: float | None = None
    """Seconds waited for it since the target started, by all together."""
    waits_total: float | None = None
    """How often somebody had to wait."""
    hold_s_total: float | None = None
    """Seconds for which it was held or busy, by all together; `in_use` over time where the target tells it so."""
    uses_total: float | None = None
    refused_total: float | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """The target's process at one instant."""

    cpu_s_total: float | None = None
    ready_s_total: float | None = None
    """Seconds for which its threads were ready to run and others had the cores, by all together."""
    cores: float | None = None
    """How many it may use at once: those that the system gives it; 1 where an interpreter's lock allows no more."""
    rss_bytes: float | None = None
    threads: float | None = None
    loop_lag_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The target at one instant, as it says of itself."""

    at_s: float
    resources: tuple[Resource, ...] = ()
    process: Process = field(default_factory=Process)
    answered_in_s: float | None = None
    """How long the target took to answer the look itself, which is next to no work for it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What limits the target."""

    resource: str
    kind: ResourceKind
    confidence: float
    """0 to 1."""
    evidence: tuple[str, ...]
    """Sentences with figures, the strongest first."""
    predicted_gain: float | None
    """Peak goodput with twice of it, over the peak now: 1.4 is 40 % more. None where it cannot be said."""
    of_p95: float | None = None
    """The part of the 95th percentile's latency that waiting for it explains, 0 to 1."""
