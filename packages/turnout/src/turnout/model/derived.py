"""Which local days of a site are derived, as a value: what a plan is made by. See docs/decisions/derived-days.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from turnout.model.query import Days

DAY = timedelta(days=1)
MOST_RUNS = 8
"""A range is cut into so many derived runs at the most: what is left over is read from raw rows."""


class Derived(msgspec.Struct, frozen=True):
    """Runs of derived days in order, none touching the next one. All other days are read from raw rows.

    `events_a_day` is what a derived day has on average: only a hint of how much there is to read.
    """

    runs: tuple[Days, ...] = ()
    events_a_day: int = 0

    def split(self, asked: Days) -> tuple[tuple[Days, ...], tuple[Days, ...]]:
        """The parts of `asked` that are derived, and those that are not. They cover it without overlap, in order."""
        within = [run for run in (_overlap(run, asked) for run in self.runs) if run is not None]
        longest = sorted(within, key=lambda run: run.last - run.first, reverse=True)[:MOST_RUNS]
        derived = tuple(sorted(longest, key=lambda run: run.first))
        raw: list[Days] = []
        at = asked.first
        for run in derived:
            if at < run.first:
                raw.append(Days(at, run.first - DAY))
            at = run.last + DAY
        if at <= asked.last:
            raw.append(Days(at, asked.last))
        return derived, tuple(raw)


NOTHING_DERIVED = Derived()


def runs_of(days: Mapping[date, int]) -> Derived:
    """The runs of these days, of which each has so many events."""
    runs: list[Days] = []
    for day in sorted(days):
        if runs and day == runs[-1].last + DAY:
            runs[-1] = Days(runs[-1].first, day)
        else:
            runs.append(Days(day, day))
    return Derived(tuple(runs), sum(days.values()) // max(1, len(days)))


def _overlap(run: Days, asked: Days) -> Days | None:
    first, last = max(run.first, asked.first), min(run.last, asked.last)
    return Days(first, last) if first <= last else None
