"""What a view asks the event store, in one batch: headline numbers, chart, cards."""

from __future__ import annotations

from datetime import date

import msgspec

from turnout.model.query import Days, Query
from turnout.web.page.cards import CARDS, Card, Tab
from turnout.web.page.periods import Span, resolve_period, span_of
from turnout.web.page.state import METRICS, View

ROWS = 9
ROWS_AT_LENGTH = 200


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """The queries of a page, in the order they are asked; `in_order` is what goes to the runner."""

    span: Span
    headline: Query
    chart: Query
    cards: tuple[Query, ...]

    @property
    def in_order(self) -> list[Query]:
        """Headline, chart, cards."""
        return [self.headline, self.chart, *self.cards]


def needs_first_day(view: View) -> bool:
    """Whether the view's span depends on when the site's first event was."""
    return view.period == "all" and view.first is None


def ask(view: View, today: date, first_day: date | None = None) -> Questions:
    """The questions of a view on the site's local day `today`. `first_day`: of the site's first event, where needed."""
    if view.first and view.last:
        span = span_of(Days(view.first, view.last), today)
    else:
        span = resolve_period(view.period, today, first_day or today)
    return Questions(
        span=span,
        headline=Query(metrics=_headline_metrics(view, span), range=span.days, filters=view.filters),
        chart=_chart(view, span),
        cards=tuple(_card(view, span, card) for card in CARDS),
    )


def chosen_tab(view: View, card: Card) -> Tab:
    """The tab of a card that the view shows."""
    chosen = dict(view.tabs).get(card.id, card.tabs[0].id)
    return next(tab for tab in card.tabs if tab.id == chosen)


def _headline_metrics(view: View, span: Span) -> tuple[str, ...]:
    """All of them, but for visitors where the chart counts these by whole days or months already.

    A visitor is one for one local day, so daily visitors add up; counting them is the dearest part of a headline.
    """
    adds_up = view.metric == "visitors" and span.step != "hour"
    return tuple(metric for metric in METRICS if not (adds_up and metric == "visitors"))


def _chart(view: View, span: Span) -> Query:
    return Query(
        metrics=(view.metric,),
        range=span.days,
        dimensions=(f"time:{span.step}",),
        filters=view.filters,
        order_by=((f"time:{span.step}", "asc"),),
        time_labels=True,
    )


def _card(view: View, span: Span, card: Card) -> Query:
    return Query(
        # No percentage: the page reckons it from the headline's visitors, where each card would count everybody anew.
        metrics=("visitors",),
        range=span.days,
        dimensions=(chosen_tab(view, card).dimension,),
        filters=view.filters,
        order_by=(("visitors", "desc"),),
        # One more than is shown tells whether there is more.
        limit=(ROWS_AT_LENGTH if view.all == card.id else ROWS) + 1,
    )
