"""The shape of the JSON file, which is all that the page is drawn from."""

from __future__ import annotations

from typing import TypedDict

from lab.launch_day.document import Load


class Tried(TypedDict):
    """One load of the search for the peak, or for where step 0 first fails."""

    offered_per_s: float
    goodput_per_s: float
    good_share: float


class Accounted(TypedDict):
    """Where every request went: `planned` = `sent` + `unsent`, and `sent` = the sum of the outcomes."""

    planned: int
    sent: int
    unsent: int
    holds: bool


class ServiceRun(TypedDict):
    """Claim a: one run of one step. `factor` is × the load at which step 0 first fails."""

    step: str
    title: str
    round: int
    load: Load
    accounted: Accounted


class Service(TypedDict):
    """Claim a."""

    database: str
    first_fails_per_s: float
    promise: str
    tried: list[Tried]
    runs: list[ServiceRun]


class EventsKept(TypedDict):
    """Each acknowledged event, looked for in the store after the run."""

    acknowledged: int
    missing: int
    doubled: int
    unacknowledged: int
    holds: bool


class TurnoutRun(TypedDict):
    """Claim b: one run of Turnout, whole (`without` is null) or without one protection. `factor` is × its own peak."""

    without: str | None
    factor: float
    offered_per_s: float
    goodput_per_s: float
    outcomes: dict[str, int]
    by_kind: dict[str, dict[str, int]]
    p50_ms: int
    p99_ms: int
    recovery_s: float | None
    watched_s: float
    lateness_p99_ms: float
    void: bool
    void_reason: str
    accounted: Accounted
    events: EventsKept


class Turnout(TypedDict):
    """Claim b."""

    peak_per_s: float
    tried: list[Tried]
    runs: list[TurnoutRun]


class Document(TypedDict):
    """Both claims."""

    what: str
    machine: str
    commit: str
    seed: int
    quick: bool
    finished: str
    load_s: float
    watch_s: float
    service: Service
    turnout: Turnout
