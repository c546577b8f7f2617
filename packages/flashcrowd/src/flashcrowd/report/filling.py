"""What is filling up in the target just now, by its own words: for whoever watches a run. It is a hint, not the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flashcrowd.report import figures
from flashcrowd.report.figures import number
from flashcrowd.samples import Reading, Resource

NEARLY_FULL = 0.8
SHORTEST_S = 0.25
"""Between two readings of the processor's time: of an answer that was late nobody knows when exactly it was true."""
LAGS_S = 0.05
"""A loop that is so late keeps everybody on it waiting: a tenth of the half second at which people begin to notice."""


def filling(readings: Sequence[Reading]) -> str:
    """`connection pool db: 10 of 10 in use, 48 waiting`, of the last reading; empty where nothing is near its end."""
    if not readings:
        return ""
    waited_for = [resource for resource in readings[-1].resources if resource.waiting]
    if waited_for:
        return _told(max(waited_for, key=lambda resource: (resource.waiting or 0, _part(resource))))
    told = next(_process(readings), "")
    if told:
        return told
    fullest = max(readings[-1].resources, key=_part, default=None)
    return _told(fullest) if fullest is not None and _part(fullest) >= NEARLY_FULL else ""


def cores_in_use(readings: Sequence[Reading]) -> Iterable[tuple[float, float]]:
    """Cores that the process used between each reading and the next, with the instant of the second."""
    before: Reading | None = None
    for after in readings:
        if after.process.cpu_s_total is None:
            continue
        if before is None:
            before = after
        elif after.at_s - before.at_s >= SHORTEST_S:
            spent = after.process.cpu_s_total - (before.process.cpu_s_total or 0)
            yield after.at_s, max(0.0, spent / (after.at_s - before.at_s))
            before = after


def _process(readings: Sequence[Reading]) -> Iterator[str]:
    process = readings[-1].process
    if process.loop_lag_s is not None and process.loop_lag_s >= LAGS_S:
        yield f"event loop: {figures.milliseconds(1000 * process.loop_lag_s)} late"
    for _, used in [*cores_in_use(readings)][-1:]:
        if process.cores and used >= NEARLY_FULL * process.cores:
            yield f"processor: {number(used)} of {number(process.cores)} cores in use"


def _told(resource: Resource) -> str:
    parts = []
    if resource.in_use is not None:
        of = f" of {number(resource.capacity)}" if resource.capacity is not None else ""
        parts.append(f"{number(resource.in_use)}{of} in use")
    if resource.waiting:
        parts.append(f"{number(resource.waiting)} waiting")
    name = resource.name if resource.kind in resource.name else f"{resource.kind} {resource.name}"
    return f"{name}: {', '.join(parts)}"


def _part(resource: Resource) -> float:
    """The part of it that is taken, 0 where it is not known."""
    return (resource.in_use or 0.0) / resource.capacity if resource.capacity else 0.0
