"""Headline numbers and chart of a page, from their answers."""

from __future__ import annotations

from datetime import datetime

import msgspec

from turnout.model.query import Result
from turnout.web.page.answers import Age, ChartAnswer, Missing, totals_before, totals_of
from turnout.web.page.change import Change, change_of
from turnout.web.page.chart import NARROW, WIDE, Chart, Lines, draw_chart, point_text
from turnout.web.page.intervals import Step
from turnout.web.page.links import Choice, address
from turnout.web.page.numbers import metric_full, metric_text
from turnout.web.page.period_bar import draw_intervals
from turnout.web.page.periods import DEFAULT_PERIOD
from turnout.web.page.questions import Questions
from turnout.web.page.span_words import bucket_at, long_label, name_range, short_label
from turnout.web.page.state import METRICS, View, write_view

_STEP_WORDS: dict[Step, str] = {
    "minute": "by minute",
    "hour": "by hour",
    "day": "by day",
    "week": "by week",
    "month": "by month",
}


_TICKS: dict[Step, tuple[int, ...]] = {"minute": (1, 5, 15, 30, 60, 120, 240, 480), "hour": (1, 3, 6, 12, 24, 48, 96)}
"""Distances of the dates below the axis at which they are round hours or midnights."""


class Headline(msgspec.Struct, frozen=True):
    """A headline number, and the link that lets the chart draw it. Without an answer the value is empty."""

    label: str
    value: str
    full: str
    href: str
    is_chosen: bool
    change: Change | None


class NumberRow(msgspec.Struct, frozen=True):
    """A line of the chart's table."""

    label: str
    value: str
    label_before: str
    value_before: str


class ChartData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the client's script reads: bucket starts, values and words by index, and where the plots lie."""

    metric: str
    step: str
    starts: list[str]
    labels: list[str]
    values: list[float]
    texts: list[str]
    labels_before: list[str]
    values_before: list[float]
    texts_before: list[str]
    wide: tuple[int, int, int]
    narrow: tuple[int, int, int]
    """Left edge, right edge and width, in units of the view box."""


class ChartSection(msgspec.Struct, frozen=True, kw_only=True):
    """The whole section. `missing`: why there is nothing to draw; None where there is. `age`: of an old answer."""

    missing: Missing | None
    age: Age | None = None
    headlines: tuple[Headline, ...]
    intervals: tuple[Choice, ...]
    title: str
    words: str
    """The span of time."""
    about: str = ""
    metric: str
    compared: str = ""
    charts: tuple[Chart, ...] = ()
    """One picture in two sizes, of which the style sheet shows one."""
    table: tuple[NumberRow, ...] = ()
    data: str = ""
    zoom: str = ""
    is_empty: bool = False


def draw_chart_section(view: View, questions: Questions, answer: ChartAnswer | Missing, now: datetime) -> ChartSection:
    """Headline numbers and chart. `now` is the site's wall clock, aware."""
    words = name_range(questions.span.range, now.tzinfo)
    title = f"{METRICS[view.metric]} {_STEP_WORDS[questions.step]}"
    intervals = draw_intervals(view, questions.span, questions.step)
    if isinstance(answer, Missing):
        heads = tuple(_headline(view, metric, None, None) for metric in METRICS)
        return ChartSection(
            missing=answer, headlines=heads, intervals=intervals, title=title, words=words, metric=METRICS[view.metric]
        )
    totals, before = totals_of(questions.chart, answer), totals_before(questions.chart, answer)
    lines, starts = _lines(view, questions, answer, now)
    before_words = questions.before.words if questions.before else ""
    changes = {
        metric: change_of(metric, totals[metric], before[metric], words, before_words) if before else None
        for metric in METRICS
    }
    return ChartSection(
        missing=None,
        headlines=tuple(_headline(view, metric, totals[metric], changes[metric]) for metric in METRICS),
        intervals=intervals,
        title=title,
        words=words,
        about=_about(lines),
        metric=METRICS[view.metric],
        compared=before_words,
        charts=tuple(draw_chart(frame, lines) for frame in (WIDE, NARROW)),
        table=tuple(_table(lines)),
        data=msgspec.json.encode(_data(lines, starts, questions.step)).decode(),
        zoom=_zoom(view) if questions.span.days.first != questions.span.days.last else "",
        is_empty=not totals["visitors"] and not totals["visits"],
    )


def _headline(view: View, metric: str, value: float | None, change: Change | None) -> Headline:
    return Headline(
        METRICS[metric],
        "" if value is None else metric_text(metric, value),
        "" if value is None else metric_full(metric, value),
        address(view, metric=metric),
        view.metric == metric,
        change,
    )


def _lines(view: View, questions: Questions, answer: ChartAnswer, now: datetime) -> tuple[Lines, list[str]]:
    """Without buckets still to come; gaps filled with zero."""
    step, days = questions.step, questions.span.days
    current = bucket_at(now, step, days.first)
    starts = [label for label in answer.series.time_labels or () if label <= current]
    starts_before: list[str] = []
    before: list[float] = []
    if answer.series_before is not None:
        starts_before = list(answer.series_before.time_labels or ())[: len(starts)]
        before = _values(answer.series_before, starts_before)
    lines = Lines(
        metric=view.metric,
        labels=[long_label(start, step) for start in starts],
        short_labels=[short_label(start, step, with_day=(days.last - days.first).days > 1) for start in starts],
        values=_values(answer.series, starts),
        is_running=bool(starts) and starts[-1] == current,
        labels_before=[long_label(start, step, with_year=view.compare == "year") for start in starts_before],
        before=before,
        ticks=_TICKS.get(step, ()),
        number=_number(starts[0], step) if starts else 0,
    )
    return lines, starts


def _number(start: str, step: Step) -> int:
    """Which minute or hour of its day a bucket is."""
    at = datetime.fromisoformat(start)
    return at.hour * 60 + at.minute if step == "minute" else at.hour


def _values(result: Result, starts: list[str]) -> list[float]:
    found = {row.dimensions[0]: float(row.metrics[0] or 0) for row in result.rows}
    return [found.get(start, 0.0) for start in starts]


def _about(lines: Lines) -> str:
    if not lines.values:
        return "No data."
    values, high, low = list(lines.values), max(lines.values), min(lines.values)
    return (
        f"Highest {metric_full(lines.metric, high)} ({lines.labels[values.index(high)]}), "
        f"lowest {metric_full(lines.metric, low)} ({lines.labels[values.index(low)]}). "
        "All values are in the table below the chart."
    )


def _table(lines: Lines) -> list[NumberRow]:
    rows = []
    for index, value in enumerate(lines.values):
        has_before = index < len(lines.before)
        rows.append(
            NumberRow(
                lines.labels[index],
                point_text(lines.metric, value),
                lines.labels_before[index] if has_before else "",
                point_text(lines.metric, lines.before[index]) if has_before else "",
            )
        )
    return rows


def _data(lines: Lines, starts: list[str], step: Step) -> ChartData:
    return ChartData(
        metric=lines.metric,
        step=step,
        starts=starts,
        labels=list(lines.labels),
        values=list(lines.values),
        texts=[point_text(lines.metric, value) for value in lines.values],
        labels_before=list(lines.labels_before),
        values_before=list(lines.before),
        texts_before=[point_text(lines.metric, value) for value in lines.before],
        wide=(WIDE.left, WIDE.right, WIDE.width),
        narrow=(NARROW.left, NARROW.right, NARROW.width),
    )


def _zoom(view: View) -> str:
    """An address with FROM and TO in the place of two ISO dates, in which a script puts what was dragged over."""
    rest = write_view(msgspec.structs.replace(view, period=DEFAULT_PERIOD, first=None, last=None, interval=""))
    return f"{rest}{'&' if len(rest) > 1 else ''}from=FROM&to=TO"
