"""What came of a run: the one thing that reports, thresholds and comparisons read, and that JSON keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flashcrowd.samples import Reading, Verdict


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the intended start, over the answers that are counted in `count`."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Second:
    """One second of the time line."""

    at_s: float
    """Since the run began."""
    arrived: int
    """Users who arrived in it."""
    requests: int
    """Requests that ended in it, retries included."""
    good: int
    errors: Mapping[str, int]
    """By outcome: `refused`, `timed_out`, `wrong`, `broken`; those that did not happen are not there."""
    latency_ms: Latency
    users: int
    """Users under way at its end."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of one named request of a user class."""

    name: str
    requests: int
    good: int
    errors: Mapping[str, int]
    latency_ms: Latency


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run at one load (with `arrivals` that may vary over its time)."""

    target: str
    users: str
    """The file or name that was run."""
    arrivals: str
    """In words, with the model's name: `open, constant, 200/s for 30 s`."""
    began: str
    """UTC, ISO 8601."""
    duration_s: float
    seed: int
    requests: int
    good: int
    goodput_per_s: float
    offered_per_s: float | None
    """Requests a second that users meant to send; None for closed arrivals, which offer no rate."""
    errors: Mapping[str, int]
    latency_ms: Latency
    """Of right answers."""
    lateness_ms: Latency
    """Of sending, by the generator itself."""
    void: bool
    """True where the generator was the limit; then the figures say nothing about the target."""
    void_reason: str
    """Empty where not void."""
    steps: tuple[StepResult, ...]
    seconds: tuple[Second, ...]
    readings: tuple[Reading, ...]
    verdict: Verdict | None
    machine: str
    arrived: int = 0
    """Users who came."""
    unfinished: int = 0
    """Requests that were cut off at the end of the run, and are counted nowhere else."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why requests were refused, wrong or broken, in words, and how often; the most frequent first, a bounded number."""


@dataclass(frozen=True, slots=True)
class LimitResult:
    """A search for the knee: runs at rising loads, in the order in which they were made."""

    runs: tuple[RunResult, ...]
    promise: str
    holds_per_s: float | None
    """The highest offered load at which the promise held; None where it held at none."""
    peak_per_s: float
    """The highest goodput seen."""
    contention: float | None
    """σ of the Universal Scalability Law; None where it could not be fitted."""
    coherency: float | None
    """κ of the same."""
    verdict: Verdict | None
    alone_per_s: float | None = None
    """λ of the same: what one request under way gets done a second."""
    under_way: tuple[float, ...] = ()
    """Requests under way on average, for each of `runs`; 0 where that is not known."""
    done_per_s: tuple[float, ...] = ()
    """Right answers a second until the last one came, for each of `runs`: with `under_way`, what the law was fitted to."""
