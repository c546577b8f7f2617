"""What a view asks the event store: headline numbers and chart, and each card. Pure: nothing is asked here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from turnout.model.query import Comparison, Days, Instants, Query
from turnout.web.page.cards import CARDS, Card
from turnout.web.page.intervals import Step, chosen
from turnout.web.page.periods import Span, resolve_period, span_of
from turnout.web.page.reports import Report, event_report, report_of
from turnout.web.page.shifts import Before, comparisons_offered, span_before
from turnout.web.page.state import METRICS, View

ROWS = 9
ROWS_OF_MAP = 300
"""More than there are countries."""
ROWS_COMPARED = 500
"""Rows of the time before in which a card's rows are looked for."""


class ChartQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """The headline numbers and the chart's values; the same of the time before where it is compared."""

    headline: Query
    series: Query
    headline_before: Query | None = None
    series_before: Query | None = None

    @property
    def in_order(self) -> list[Query]:
        """Those there are."""
        both = (self.headline, self.series, self.headline_before, self.series_before)
        return [query for query in both if query is not None]


class CardQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A card's rows; the same of the time before where it is compared."""

    rows: Query
    before: Query | None = None

    @property
    def in_order(self) -> list[Query]:
        """Those there are."""
        return [self.rows] if self.before is None else [self.rows, self.before]


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """The queries of a page. The events' card asks more where an event is chosen: see `event_values`."""

    span: Span
    step: Step
    before: Before | None
    chart: ChartQuestion
    cards: dict[str, CardQuestion]


def needs_first_day(view: View) -> bool:
    """Whether the view's span depends on when the site's first event was."""
    return view.period == "all" and view.first is None


def span_in(view: View, now: datetime, first_day: date | None = None) -> Span:
    """The span of a view at `now`, aware, in the site's zone. `first_day`: of the site's first event, where needed."""
    if view.first and view.last:
        return span_of(Days(view.first, view.last), now.date())
    return resolve_period(view.period, now, first_day)


def ask(view: View, now: datetime, first_day: date | None = None) -> Questions:
    """The questions of a view at `now`, aware, in the site's zone."""
    span = span_in(view, now, first_day)
    step = chosen(view.interval, span.range)
    compare = view.compare if view.compare in comparisons_offered(span, view.period) else ""
    before = span_before(span, compare, now)
    return Questions(
        span=span,
        step=step,
        before=before,
        chart=_chart(view, span, step, before),
        cards={card.id: _card(view, span, before, report_of(view, card)) for card in CARDS},
    )


def event_total(view: View, span: Span) -> Query:
    """How often the chosen event happened, and to how many."""
    only = Comparison("is", "event:name", (view.event,))
    return Query(metrics=("visitors", "events"), range=span.range, filters=(*view.filters, only))


def event_values(view: View, span: Span, before: Before | None, card: Card, prop: str) -> CardQuestion:
    """The values of one property of the chosen event."""
    return _card(view, span, before, event_report(view, card, prop))


def _headline_metrics(view: View, span: Span, step: Step) -> tuple[str, ...]:
    """All of them, but for visitors where the chart counts these by whole days, weeks or months already.

    A visitor is one for one local day, so daily visitors add up; counting them is the dearest part of a headline.
    """
    adds_up = view.metric == "visitors" and step not in ("minute", "hour") and isinstance(span.range, Days)
    return tuple(metric for metric in METRICS if not (adds_up and metric == "visitors"))


def _chart(view: View, span: Span, step: Step, before: Before | None) -> ChartQuestion:
    return ChartQuestion(
        headline=Query(metrics=_headline_metrics(view, span, step), range=span.range, filters=view.filters),
        series=_series(view, span.range, step),
        headline_before=Query(metrics=tuple(METRICS), range=before.range, filters=view.filters) if before else None,
        series_before=_series(view, before.whole, step) if before else None,
    )


def _series(view: View, span: Days | Instants, step: Step) -> Query:
    order: tuple[str, Literal["asc", "desc"]] = (f"time:{step}", "asc")
    return Query(
        metrics=(view.metric,),
        range=span,
        dimensions=(f"time:{step}",),
        filters=view.filters,
        order_by=(order,),
        time_labels=True,
    )


def _card(view: View, span: Span, before: Before | None, report: Report) -> CardQuestion:
    rows = Query(
        # No percentage: the page reckons it from the headline's visitors, where each card would count everybody anew.
        metrics=("visitors", "events") if "events" in report.metrics else ("visitors",),
        range=span.range,
        dimensions=report.dimensions,
        filters=report.all_filters(view),
        order_by=(("visitors", "desc"),),
        limit=ROWS_OF_MAP if report.tab.id == "map" else ROWS,
    )
    if before is None:
        return CardQuestion(rows=rows)
    return CardQuestion(rows=rows, before=msgspec.structs.replace(rows, range=before.range, limit=ROWS_COMPARED))
