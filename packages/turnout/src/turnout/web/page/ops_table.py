"""The table of operations: what Seawall reads from its snapshot and the journal, each over the last hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from seawall.console.reading import Reading, State, Verdict, duration, judge
from seawall.console.reading import read as read_snapshot
from seawall.core.statistics import Snapshot
from turnout.web.ops_history import STEP_S, STEPS, LastHour, Refusals, Trail
from turnout.web.page.sparkline import trace

BEHIND_S = 5.0
"""A journal further behind than this keeps people from seeing their numbers."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the table is made of beside Seawall's snapshot."""

    journal_depth: int
    journal_age_s: float
    days_waiting: int


class OpsRow(msgspec.Struct, frozen=True):
    """A line of the table. `holders` are the first few who have it."""

    kind: str
    name: str
    now: str
    detail: str
    line: str
    state: State
    holders: tuple[str, ...] = ()


class HourRow(msgspec.Struct, frozen=True):
    """What limited, or who was refused and why, in the last hour: the sum in words, and its line."""

    name: str
    what: str
    total: str
    line: str


class OpsTable(msgspec.Struct, frozen=True):
    """The whole page."""

    verdict: Verdict
    rows: tuple[OpsRow, ...]
    limited: tuple[HourRow, ...]
    refused: tuple[HourRow, ...]


def read(snapshot: Snapshot, figures: Figures) -> list[Reading]:
    """How everything stands, by kind and name; the journal before the workers that empty it."""
    readings = read_snapshot(snapshot)
    at = next((at for at, one in enumerate(readings) if one.kind in ("worker", "loop")), len(readings))
    readings.insert(at, _journal(figures))
    if figures.days_waiting:
        waiting = f"{figures.days_waiting} days wait"
        readings = [
            replace(one, detail=waiting) if (one.kind, one.name, one.detail) == ("worker", "derive", "") else one
            for one in readings
        ]
    return readings


def draw_ops(readings: Sequence[Reading], hour: LastHour, totals: Refusals) -> OpsTable:
    """The page for these readings, and the hour before them. `totals`: who was refused since the server began."""
    rows = tuple(
        OpsRow(
            one.kind,
            one.name,
            one.now,
            one.detail,
            trace([*hour.loads.get((one.kind, one.name), ()), one.load]),
            one.state,
            one.holders,
        )
        for one in readings
    )
    return OpsTable(judge(readings), rows, _limited(hour), _refused(hour, totals))


def _limited(hour: LastHour) -> tuple[HourRow, ...]:
    found = sorted(hour.limited.items(), key=lambda one: -sum(one[1]))
    return tuple(
        HourRow(name, kind, f"for {duration(sum(trail) * STEP_S)}", trace(_whole(trail)))
        for (kind, name), trail in found
        if any(trail)
    )


def _refused(hour: LastHour, totals: Refusals) -> tuple[HourRow, ...]:
    rows = []
    for (name, reason), total in sorted(totals.items()):
        trail = hour.refused.get((name, reason), ())
        told = f"{sum(trail):,.0f} in the last hour, {total:,} since the start"
        rows.append(HourRow(name, reason, told, trace(_whole(trail))))
    return tuple(rows)


def _whole(trail: Trail) -> Trail:
    """The hour to its beginning, so that lines of what is new and what is old can be compared."""
    return [*([0.0] * (STEPS - len(trail))), *trail]


def _journal(figures: Figures) -> Reading:
    depth, age_s = figures.journal_depth, figures.journal_age_s
    state: State = "crowded" if age_s > BEHIND_S else "busy" if depth else "calm"
    detail = f"the oldest for {duration(age_s)}" if depth else "level"
    pressure_s = age_s if age_s > BEHIND_S else 0.0
    return Reading("journal", "events", f"{depth:,} not in the store yet", detail, depth, pressure_s, state)
