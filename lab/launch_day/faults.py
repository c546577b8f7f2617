"""The faults of the story, what they came to in each step, and which step cured which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from lab.launch_day.document import Load, StepResult

Count = Literal["lost_updates", "database_deadlocks", "memory_deadlocks", "pool_timeouts", "timeouts", "sent"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong: its name, what it comes to over all loads of a step, and when that is no fault."""

    name: str
    explained: str
    shown: Callable[[Sequence[Load]], str]
    is_cured: Callable[[Sequence[Load]], bool]


def _lost(loads: Sequence[Load]) -> str:
    lost, served = sum(load["lost_updates"] for load in loads), sum(load["served_views"] for load in loads)
    return f"{lost} of {served} ({100 * lost / max(1, served):.1f} %)"


def _total(loads: Sequence[Load], key: Count) -> int:
    return sum(load[key] for load in loads)


def _slowest_recovery(loads: Sequence[Load]) -> str:
    if any(load["recovery_s"] is None for load in loads):
        return f"not within {max(load['watched_s'] for load in loads):g} s"
    return f"{max(load['recovery_s'] or 0.0 for load in loads):.1f} s"


def _left_of_peak(loads: Sequence[Load]) -> float:
    """The smallest goodput at and above the peak's load, as a share of that load."""
    return min(load["goodput_per_s"] * load["factor"] / load["offered_per_s"] for load in loads if load["factor"] >= 1)


FAULTS: Sequence[Fault] = (
    Fault(
        "lost updates",
        "opened dashboards that were answered and not counted",
        _lost,
        lambda loads: _total(loads, "lost_updates") == 0,
    ),
    Fault(
        "deadlocks in the database",
        "ended by the server after a second; the request gets an error",
        lambda loads: str(_total(loads, "database_deadlocks")),
        lambda loads: _total(loads, "database_deadlocks") == 0,
    ),
    Fault(
        "deadlocks in memory",
        "two locks, two orders: from then on nobody is served",
        lambda loads: str(_total(loads, "memory_deadlocks")),
        lambda loads: _total(loads, "memory_deadlocks") == 0,
    ),
    Fault(
        "time-outs of the pool",
        "no connection came free within the pool's own time-out",
        lambda loads: str(_total(loads, "pool_timeouts")),
        lambda loads: _total(loads, "pool_timeouts") == 0,
    ),
    Fault(
        "left without an answer",
        "people whose patience of 5 s ended first",
        lambda loads: f"{_total(loads, 'timeouts')} of {_total(loads, 'sent')}",
        lambda loads: _total(loads, "timeouts") <= 0.01 * _total(loads, "sent"),
    ),
    Fault(
        "recovery",
        "after the crowd has gone; the slowest of all loads",
        _slowest_recovery,
        lambda loads: all(load["recovery_s"] is not None and load["recovery_s"] <= 2.0 for load in loads),
    ),
    Fault(
        "goodput kept",
        "the least at 1 × and above, as a share of step 0's peak",
        lambda loads: f"{100 * _left_of_peak(loads):.0f} %",
        lambda loads: _left_of_peak(loads) >= 0.75,
    ),
)


def cured_by(fault: Fault, steps: Sequence[StepResult]) -> str | None:
    """The first step from which on the fault is gone in all that follow; None where the last still has it."""
    name = None
    for step in reversed(steps):
        if not fault.is_cured(step["loads"]):
            break
        name = step["name"]
    return name
