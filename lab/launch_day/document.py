"""The shape of the JSON file, which is all that the page is drawn from."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Lateness(TypedDict):
    """How late the generator sent."""

    p99: float


class Load(TypedDict):
    """One run. `factor` is × step 0's peak; times are from the intended start; `recovery_s` is null where none was seen."""

    factor: float
    offered_per_s: float
    goodput_per_s: float
    p50_ms: int
    p99_ms: int
    recovery_s: float | None
    watched_s: float
    lost_updates: int
    served_views: int
    counted_views: int
    deadlocks: int
    database_deadlocks: int
    memory_deadlocks: int
    locks_in_deadlock: list[str]
    timeouts: int
    pool_timeouts: int
    refused: int
    errors: int
    wrong: int
    slow: int
    good: int
    sent: int
    backlog: int
    dropped: int
    lateness_ms: Lateness
    void: bool
    void_reason: NotRequired[str]  # not in figures that were kept before Flashcrowd sent the crowd


class StepResult(TypedDict):
    """A step or a variant under every load. `peak_per_s` is the highest goodput it was seen to give."""

    name: str
    title: str
    mends: list[str]
    peak_per_s: float
    loads: list[Load]


class Seen(TypedDict):
    """What one generator saw of a load."""

    goodput_per_s: float
    p50_ms: int
    p99_ms: int
    refused: int
    timeouts: int
    sent: int
    lateness_ms: Lateness
    void: bool
    void_reason: str


class CrossCheck(TypedDict):
    """One load of one step, sent by both generators, one after the other."""

    step: str
    title: str
    factor: float
    offered_per_s: float
    flashcrowd: Seen
    k6: Seen


class Document(TypedDict):
    """A whole run of the story."""

    what: str
    database: str
    machine: str
    commit: str
    seed: int
    quick: bool
    finished: str
    load_s: float
    watch_s: float
    peak_per_s: float
    steps: list[StepResult]
    variants: list[StepResult]
    cross_check: NotRequired[CrossCheck]
