"""What a view asks the event store, in one batch: headline numbers, chart, cards."""

from __future__ import annotations

from datetime import date

import msgspec

from turnout.model.query import Days, Query
from turnout.web.page.cards import CARDS, Card, Tab
from turnout.web.page.periods import BEGINNING, Span, Step, resolve_period, span_of
from turnout.web.page.state import METRICS, View

ROWS = 9
ROWS_AT_LENGTH = 200


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """The queries of a page, in the order they are asked; `in_order` is what goes to the runner."""

    span: Span
    headline: Query
    charts: tuple[tuple[Step, Query], ...]
    """One, or for all time two, of which the answers choose."""
    cards: tuple[Query, ...]

    @property
    def in_order(self) -> list[Query]:
        """Headline, charts, cards."""
        return [self.headline, *(query for _, query in self.charts), *self.cards]


def ask(view: View, today: date) -> Questions:
    """The questions of a view on the site's local day `today`."""
    span = (
        span_of(Days(view.first, view.last), today) if view.first and view.last else resolve_period(view.period, today)
    )
    # How far back all time goes is not known before the answer: ask by day as well, for sites that are young.
    steps: tuple[Step, ...] = ("day", "month") if view.period == "all" and not view.first else (span.step,)
    return Questions(
        span=span,
        headline=Query(metrics=tuple(METRICS), range=span.days, filters=view.filters),
        charts=tuple((step, _chart(view, span, step)) for step in steps),
        cards=tuple(_card(view, span, card) for card in CARDS),
    )


def ask_whether_any(today: date) -> Query:
    """Whether the site has ever had an event; asked only where a page has nothing to show."""
    return Query(metrics=("events",), range=Days(BEGINNING, today))


def chosen_tab(view: View, card: Card) -> Tab:
    """The tab of a card that the view shows."""
    chosen = dict(view.tabs).get(card.id, card.tabs[0].id)
    return next(tab for tab in card.tabs if tab.id == chosen)


def _chart(view: View, span: Span, step: Step) -> Query:
    return Query(
        metrics=(view.metric,),
        range=span.days,
        dimensions=(f"time:{step}",),
        filters=view.filters,
        order_by=((f"time:{step}", "asc"),),
        # All time has no first bucket until its answer names it, so its gaps are filled from the rows.
        time_labels=span.days.first != BEGINNING,
    )


def _card(view: View, span: Span, card: Card) -> Query:
    return Query(
        metrics=("visitors", "percentage"),
        range=span.days,
        dimensions=(chosen_tab(view, card).dimension,),
        filters=view.filters,
        order_by=(("visitors", "desc"),),
        # One more than is shown tells whether there is more.
        limit=(ROWS_AT_LENGTH if view.all == card.id else ROWS) + 1,
    )
