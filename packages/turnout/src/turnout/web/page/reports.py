"""What a card lists in a view: the one description from which the card, its details and its CSV are made."""

from __future__ import annotations

import msgspec

from turnout.model.query import Comparison, Filter
from turnout.web.page.cards import OF_EVENTS, PROPERTY, Card, Tab
from turnout.web.page.state import View

NO_VIEWS = Comparison("is_not", "event:name", ("pageview",))
_VERSIONS = {"browser": "visit:browser", "os": "visit:os"}


class Report(msgspec.Struct, frozen=True):
    """A list of values with their metrics.

    `filters` are the report's own, beside the view's. `column` names its values. `metrics` are those that answers can
    be sorted by. `tab`: the one it is shown under, which a drill-down may have chosen.
    """

    tab: Tab
    column: str
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    filters: tuple[Comparison, ...] = ()

    def all_filters(self, view: View) -> tuple[Filter, ...]:
        """The view's filters and the report's."""
        return (*view.filters, *(part for part in self.filters if part not in view.filters))


def report_of(view: View, card: Card) -> Report:
    """The report a card shows in a view. For a chosen event without a chosen property: the events."""
    if card.id == "events":
        return event_report(view, card)
    tab = chosen_tab(view, card)
    return Report(tab, tab.column, tab.dimensions, tab.metrics)


def event_report(view: View, card: Card, prop: str = "") -> Report:
    """The events; of a chosen event the values of `prop`, or of the view's property."""
    named = prop or view.prop
    if view.event and named:
        only = Comparison("is", "event:name", (view.event,))
        return Report(card.tabs[0], named, (PROPERTY + named,), OF_EVENTS, (only,))
    return Report(card.tabs[0], "Event", ("event:name",), OF_EVENTS, (NO_VIEWS,))


def chosen_tab(view: View, card: Card) -> Tab:
    """The tab of a card that the view shows: the one chosen, or the versions of the one browser or system it is
    filtered by."""
    chosen = dict(view.tabs).get(card.id, card.default)
    if chosen in _VERSIONS and drilled_value(view, _VERSIONS[chosen]):
        chosen += "_version"
    return next(tab for tab in card.tabs if tab.id == chosen)


def drilled_value(view: View, dimension: str) -> str:
    """The one value that the view is filtered by in a dimension; empty where there is none."""
    values = [part.values for part in view.filters if part.operator == "is" and part.dimension == dimension]
    return values[0][0] if len(values) == 1 and len(values[0]) == 1 else ""
