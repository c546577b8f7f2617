"""The table of operations: what Seawall reads from its snapshot and the journal, each over the last hour. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from seawall.console.reading import Reading, State, Verdict, duration, judge
from seawall.console.reading import read as read_snapshot
from seawall.core.statistics import Snapshot
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


class OpsTable(msgspec.Struct, frozen=True):
    """The whole page."""

    verdict: Verdict
    rows: tuple[OpsRow, ...]


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


def draw_ops(readings: Sequence[Reading], history: Mapping[tuple[str, str], Sequence[float]]) -> OpsTable:
    """The page for these readings. `history`: earlier loads of each (kind, name), the oldest first."""
    rows = tuple(
        OpsRow(
            one.kind,
            one.name,
            one.now,
            one.detail,
            trace([*history.get((one.kind, one.name), ()), one.load]),
            one.state,
            one.holders,
        )
        for one in readings
    )
    return OpsTable(judge(readings), rows)


def _journal(figures: Figures) -> Reading:
    depth, age_s = figures.journal_depth, figures.journal_age_s
    state: State = "crowded" if age_s > BEHIND_S else "busy" if depth else "calm"
    detail = f"the oldest for {duration(age_s)}" if depth else "level"
    pressure_s = age_s if age_s > BEHIND_S else 0.0
    return Reading("journal", "events", f"{depth:,} not in the store yet", detail, depth, pressure_s, state)
