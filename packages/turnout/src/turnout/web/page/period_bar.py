"""The controls of time: periods, the arrows to the one before and after, what to compare with."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from turnout.model.query import Days
from turnout.web.page.intervals import INTERVALS, Step, offered
from turnout.web.page.links import Choice, address
from turnout.web.page.periods import PERIODS, Span, resolve_period
from turnout.web.page.shifts import COMPARISONS, Before, comparisons_offered, earlier, later
from turnout.web.page.span_words import name_days, name_range
from turnout.web.page.state import Pairs, View, state_pairs


class PeriodBar(msgspec.Struct, frozen=True, kw_only=True):
    """All links to other times. `earlier`, `later`: None where there is no such time."""

    chosen: str
    words: str
    first: date
    last: date
    periods: tuple[tuple[Choice, ...], ...]
    """In groups, as they are listed."""
    earlier: Choice | None
    later: Choice | None
    comparisons: tuple[Choice, ...]
    compared: str
    """What it is compared with, in words; empty where it is not."""
    hidden: Pairs
    """State that the form for other dates carries along."""


def draw_periods(view: View, span: Span, before: Before | None, now: datetime, extra: Pairs = ()) -> PeriodBar:
    """The controls for a view. `extra`: what the page keeps in its address beside the view."""
    groups: dict[int, list[Choice]] = {}
    for name, one in PERIODS.items():
        # The interval goes: what suits a day rarely suits a year.
        href = address(view, extra, period=name, first=None, last=None, interval="")
        is_chosen = view.period == name and not view.first
        groups.setdefault(one.group, []).append(Choice(one.label, href, is_chosen, one.key))
    period = "" if view.first else view.period
    return PeriodBar(
        chosen=PERIODS[period].label if period else name_days(span.days),
        words=name_range(span.range, now.tzinfo),
        first=span.days.first,
        last=span.days.last,
        periods=tuple(tuple(group) for group in groups.values()),
        earlier=_arrow(view, earlier(span, period), now, extra),
        later=_arrow(view, later(span, now.date()), now, extra),
        comparisons=tuple(
            Choice(COMPARISONS[name], address(view, extra, compare=name), name == (view.compare if before else ""))
            for name in comparisons_offered(span, period)
        ),
        compared=before.words if before else "",
        hidden=(*(pair for pair in state_pairs(view) if pair[0] != "interval"), *extra),
    )


def draw_intervals(view: View, span: Span, step: Step) -> tuple[Choice, ...]:
    """The intervals that the span offers; empty where there is only one."""
    steps = offered(span.range)
    if len(steps) < 2:
        return ()
    return tuple(Choice(INTERVALS[one], address(view, anchor="chart", interval=one), one == step) for one in steps)


def _arrow(view: View, days: Days | None, now: datetime, extra: Pairs) -> Choice | None:
    if days is None:
        return None
    name = next((name for name in _NAMED if _is(resolve_period(name, now).days, days, now.date(), name)), "")
    if name:
        return Choice(PERIODS[name].label, address(view, extra, period=name, first=None, last=None), False)
    return Choice(name_days(days), address(view, extra, first=days.first, last=days.last), False)


_NAMED = ("today", "yesterday", "month", "last_month", "year")
"""Days that have a name are reached by it, so that the address stays right tomorrow."""


def _is(named: Days, days: Days, today: date, name: str) -> bool:
    if name in ("month", "year"):
        # The whole of it is asked for, of which the future is nothing.
        end = today.replace(month=12, day=31) if name == "year" else None
        is_whole = days.last == end if end else (days.last.year, days.last.month) == (today.year, today.month)
        return named.first == days.first and is_whole and days.last >= today
    return named == days
