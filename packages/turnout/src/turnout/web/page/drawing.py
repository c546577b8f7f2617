"""Answers to what the template draws: every text written, every address made, no decision left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec.structs import replace

from turnout.model.countries import NAMES
from turnout.model.query import Comparison, Result
from turnout.web.page.cards import CARDS, FILTER_DIMENSIONS, OPERATOR_WORDS, OPERATORS, Card
from turnout.web.page.chart import NARROW, WIDE, Chart, draw_chart
from turnout.web.page.numbers import metric_full, metric_text, percent
from turnout.web.page.periods import PERIODS, Step, name_days
from turnout.web.page.questions import ROWS, ROWS_AT_LENGTH, Questions, chosen_tab
from turnout.web.page.state import METRICS, View, toggle_filter, write_filter, write_view

_STEP_WORDS: dict[Step, str] = {"hour": "by hour", "day": "by day", "month": "by month"}


class Choice(msgspec.Struct, frozen=True):
    """A link that changes one thing of the view."""

    label: str
    href: str
    is_chosen: bool


class Headline(msgspec.Struct, frozen=True):
    """A headline number, and the link that lets the chart draw it."""

    label: str
    value: str
    full: str
    href: str
    is_chosen: bool


class CardRow(msgspec.Struct, frozen=True):
    """A line of a card. `bar` is its length in percent of the longest; `is_filter`: the page is filtered by it."""

    label: str
    count: str
    full: str
    share: str
    bar: str
    href: str
    hint: str
    is_filter: bool


class CardDrawing(msgspec.Struct, frozen=True):
    """A card. `more` links to it at length, or back; None where all is shown."""

    id: str
    title: str
    dimension: str
    tabs: tuple[Choice, ...]
    rows: tuple[CardRow, ...]
    more: Choice | None


class Chip(msgspec.Struct, frozen=True):
    """A filter in words, and the address without it."""

    text: str
    without: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    period: str
    days: str
    first: date
    last: date
    periods: tuple[Choice, ...]
    headlines: tuple[Headline, ...]
    chips: tuple[Chip, ...]
    unfiltered: str
    hidden: tuple[tuple[str, str], ...]
    """State that the forms carry along."""
    span_hidden: tuple[tuple[str, str], ...]
    """The period, for forms that leave it alone."""
    operators: tuple[tuple[str, str], ...]
    dimensions: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]
    """One picture in two sizes, of which the style sheet shows one."""
    chart_title: str
    chart_about: str
    chart_metric: str
    cards: tuple[CardDrawing, ...]
    is_empty: bool


def draw(view: View, questions: Questions, results: Sequence[Result], now: datetime, *, cities: bool) -> Drawing:
    """The page for the `results` of `questions`. `now` is the site's wall clock; `cities`: regions are known."""
    headline, series, *cards = results
    totals = dict(zip(questions.headline.metrics, (value or 0 for value in headline.rows[0].metrics), strict=True))
    if "visitors" not in totals:
        totals["visitors"] = sum(row.metrics[0] or 0 for row in series.rows)
    step, days = questions.span.step, questions.span.days
    labels, values = _series(series, step, now)
    is_running = bool(labels) and labels[-1] == _bucket(now, step)
    words = [_long_label(label, step) for label in labels], [_short_label(label, step) for label in labels]
    charts_drawn = tuple(
        draw_chart(frame, view.metric, *words, values, is_running=is_running) for frame in (WIDE, NARROW)
    )
    title = f"{METRICS[view.metric]} {_STEP_WORDS[step]}, {name_days(days)}"
    return Drawing(
        period=name_days(days) if view.first else PERIODS[view.period],
        days=name_days(days),
        first=days.first,
        last=days.last,
        periods=tuple(
            Choice(
                label,
                write_view(replace(view, period=name, first=None, last=None)),
                view.period == name and not view.first,
            )
            for name, label in PERIODS.items()
        ),
        headlines=tuple(
            Headline(
                label,
                metric_text(metric, totals[metric]),
                metric_full(metric, totals[metric]),
                write_view(replace(view, metric=metric)),
                view.metric == metric,
            )
            for metric, label in METRICS.items()
        ),
        chips=tuple(
            Chip(filter_words(part), write_view(replace(view, filters=tuple(p for p in view.filters if p != part))))
            for part in view.filters
        ),
        unfiltered=write_view(replace(view, filters=())),
        hidden=_hidden(view),
        span_hidden=_span_hidden(view),
        operators=tuple((name, OPERATOR_WORDS[name]) for name in OPERATORS),
        dimensions=tuple(FILTER_DIMENSIONS.items()),
        charts=charts_drawn,
        chart_title=title,
        chart_about=_about(view, labels, values, step),
        chart_metric=METRICS[view.metric],
        cards=tuple(
            _card(view, card, result, totals["visitors"], cities) for card, result in zip(CARDS, cards, strict=True)
        ),
        is_empty=not totals["visitors"] and not totals["visits"],
    )


def filter_words(part: Comparison) -> str:
    """A filter as a person says it: `Country is Germany or France`."""
    name = FILTER_DIMENSIONS.get(part.dimension) or part.dimension.removeprefix("event:props:")
    values = [value_words(part.dimension, value) for value in part.values]
    shown = " or ".join(values[:3]) + (f" or {len(values) - 3} more" if len(values) > 3 else "")
    return f"{name} {OPERATOR_WORDS[part.operator]} {shown}"


def value_words(dimension: str, value: str) -> str:
    """A value as it is shown: countries by their names."""
    return NAMES.get(value, value) if dimension == "visit:country" else value


def _series(result: Result, step: Step, now: datetime) -> tuple[list[str], list[float]]:
    """The chart's buckets and values: without buckets still to come, gaps filled with zero."""
    labels = [label for label in result.time_labels or () if label <= _bucket(now, step)]
    found = {row.dimensions[0]: float(row.metrics[0] or 0) for row in result.rows}
    return labels, [found.get(label, 0.0) for label in labels]


def _bucket(now: datetime, step: Step) -> str:
    if step == "hour":
        return f"{now:%Y-%m-%d %H}:00:00"
    return f"{now:%Y-%m}-01" if step == "month" else f"{now:%Y-%m-%d}"


def _short_label(label: str, step: Step) -> str:
    at = datetime.fromisoformat(label)
    if step == "hour":
        return f"{at:%H:%M}"
    return f"{at:%b %Y}" if step == "month" else f"{at.day} {at:%b}"


def _long_label(label: str, step: Step) -> str:
    at = datetime.fromisoformat(label)
    if step == "hour":
        return f"{at:%a} {at.day} {at:%b}, {at:%H:%M}"
    return f"{at:%B %Y}" if step == "month" else f"{at:%a} {at.day} {at:%b %Y}"


def _about(view: View, labels: Sequence[str], values: Sequence[float], step: Step) -> str:
    if not values:
        return "No data."
    high, low = max(values), min(values)
    return (
        f"Highest {metric_full(view.metric, high)} ({_long_label(labels[values.index(high)], step)}), "
        f"lowest {metric_full(view.metric, low)} ({_long_label(labels[values.index(low)], step)}). "
        "All values are in the table below the chart."
    )


def _card(view: View, card: Card, result: Result, everyone: float, cities: bool) -> CardDrawing:
    """`everyone`: the visitors of the whole page, of whom each row has a share."""
    tab = chosen_tab(view, card)
    at_length = view.all == card.id
    limit = ROWS_AT_LENGTH if at_length else ROWS
    longest = max((float(row.metrics[0] or 0) for row in result.rows), default=0) or 1
    rows = []
    for row in result.rows[:limit]:
        value, visitors = row.dimensions[0], float(row.metrics[0] or 0)
        share = 100 * visitors / everyone if everyone else 0.0
        words = value_words(tab.dimension, value)
        is_filter = Comparison("is", tab.dimension, (value,)) in view.filters
        rows.append(
            CardRow(
                label=words,
                count=metric_text("visitors", visitors) if visitors >= 1e6 else f"{visitors:,.0f}",
                full=f"{visitors:,.0f} visitors, {share:.1f} %",
                share=percent(share),
                bar=f"{max(100 * visitors / longest, 0.5):.1f}%",
                # Back to the usual length: after a click the answer is what matters, not the rest of the list.
                href=write_view(replace(toggle_filter(view, tab.dimension, value), all="")),
                hint=f"Remove the filter {words}" if is_filter else f"Filter by {words}",
                is_filter=is_filter,
            )
        )
    more = None
    if at_length:
        more = Choice(f"Top {ROWS} only", write_view(replace(view, all="")) + f"#{card.id}", True)
    elif len(result.rows) > limit:
        more = Choice("Show more", write_view(replace(view, all=card.id)) + f"#{card.id}", False)
    return CardDrawing(
        id=card.id,
        title=card.title,
        dimension=FILTER_DIMENSIONS[tab.dimension],
        tabs=tuple(
            Choice(one.label, write_view(_with_tab(view, card, one.id)) + f"#{card.id}", one == tab)
            for one in card.tabs
            if cities or not one.needs_cities or one == tab
        ),
        rows=tuple(rows),
        more=more,
    )


def _with_tab(view: View, card: Card, tab: str) -> View:
    chosen = {**dict(view.tabs), card.id: tab}
    tabs = tuple((one.id, chosen[one.id]) for one in CARDS if chosen.get(one.id, one.tabs[0].id) != one.tabs[0].id)
    return replace(view, tabs=tabs)


def _hidden(view: View) -> tuple[tuple[str, str], ...]:
    metric = (("metric", view.metric),) if view.metric != "visitors" else ()
    return (*metric, *(("f", write_filter(part)) for part in view.filters), *view.tabs)


def _span_hidden(view: View) -> tuple[tuple[str, str], ...]:
    if view.first and view.last:
        return (("from", view.first.isoformat()), ("to", view.last.isoformat()))
    return (("period", view.period),)
