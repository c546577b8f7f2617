"""A card from its answer: its tabs, its rows, and where they lead."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from turnout.model.query import Comparison, Row
from turnout.web.page.answers import Age, CardAnswer, Missing
from turnout.web.page.cards import CARDS, Card, Tab
from turnout.web.page.change import change_of
from turnout.web.page.filter_bar import value_words
from turnout.web.page.links import Choice, address
from turnout.web.page.map import MapValue, WorldMap, draw_map
from turnout.web.page.numbers import metric_text, percent
from turnout.web.page.questions import ROWS, ROWS_COMPARED, Questions
from turnout.web.page.reports import Report, chosen_tab, drilled_value, event_report, report_of
from turnout.web.page.state import View, toggle_filters, write_view

ROWS_BELOW_MAP = 3
"""As many as make the card as high as its neighbours: the map says the rest."""


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a card. `bar` is its length in percent of the longest; `is_filter`: the page is filtered by it.

    `events`: how often, for rows that count more than visitors. `share` is empty while all visitors are not counted.
    """

    label: str
    count: str
    full: str
    events: str = ""
    share: str
    bar: str
    href: str
    hint: str
    is_filter: bool


class CardDrawing(msgspec.Struct, frozen=True, kw_only=True):
    """A card. `missing`: why there is nothing to draw. `is_whole`: nothing is still to come, the shares included."""

    id: str
    title: str
    column: str
    tab: str
    tabs: tuple[Choice, ...]
    more_tabs: tuple[Choice, ...] = ()
    """The second row: the tabs of a group, or the properties of an event."""
    missing: Missing | None = None
    age: Age | None = None
    """Of an answer that is shown until a fresh one is there."""
    is_whole: bool = True
    rows: tuple[CardRow, ...] = ()
    map: WorldMap | None = None
    """All countries, above the rows, of which there are only the first."""
    counts_events: bool = False
    query: str = ""
    """The view's own query string, for the addresses of the fragment and another try."""
    details: str = ""
    """The query string of the details."""
    heading: str = ""
    """The chosen event; with its numbers in `facts` and the way to filter by it, and `back` to all events."""
    facts: str = ""
    filter_href: str = ""
    back: str = ""


def draw_card(
    view: View, card: Card, questions: Questions, answer: CardAnswer | Missing, everyone: float | None, *, cities: bool
) -> CardDrawing:
    """A card. `everyone`: the visitors of the whole page, of whom each row has a share; None while not counted."""
    if card.id == "events":
        return _draw_events(view, card, questions, answer, everyone)
    report = report_of(view, card)
    tabs, more_tabs = draw_tabs(view, card, anchor=card.id, cities=cities)
    world = None
    if report.tab.id == "map" and not isinstance(answer, Missing):
        world = draw_map([_country(view, report, row, everyone) for row in answer.rows.rows])
    return CardDrawing(
        id=card.id,
        title=card.title,
        column=report.column,
        tab=report.tab.id,
        tabs=tabs,
        more_tabs=more_tabs,
        missing=answer if isinstance(answer, Missing) else None,
        is_whole=not isinstance(answer, Missing) and everyone is not None,
        rows=() if isinstance(answer, Missing) else _rows(view, report, questions, answer, everyone),
        map=world,
        query=write_view(view),
        details=write_view(view),
    )


def row_parts(report: Report, row: Row) -> tuple[Comparison, ...]:
    """The filters that a row stands for."""
    return tuple(
        Comparison("is", dimension, (value,))
        for dimension, value in zip(report.dimensions, row.dimensions, strict=True)
    )


def row_words(report: Report, row: Row) -> str:
    """What a row is called: a browser's version with its browser."""
    return " ".join(
        value_words(dimension, value) for dimension, value in zip(report.dimensions, row.dimensions, strict=True)
    )


def draw_tabs(view: View, card: Card, *, anchor: str, cities: bool) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Both rows of a card's tabs: one for each tab or group, and those of the chosen group.

    They lead to `anchor` of the same page.
    """
    tab = chosen_tab(view, card)
    return _tabs(view, card, tab, anchor, cities), _more_tabs(view, card, tab, anchor)


def _tabs(view: View, card: Card, chosen: Tab, anchor: str, cities: bool) -> tuple[Choice, ...]:
    """One for each tab, and one for each group, which leads to the group's first."""
    choices: dict[str, Choice] = {}
    for tab in card.tabs:
        if tab.needs_cities and not cities and tab != chosen:
            continue
        name = tab.group or tab.label
        is_chosen = tab == chosen or bool(tab.group and tab.group == chosen.group)
        choices.setdefault(name, Choice(name, _to_tab(view, card, tab, anchor), is_chosen))
    return tuple(choices.values()) if len(choices) > 1 else ()


def _more_tabs(view: View, card: Card, chosen: Tab, anchor: str) -> tuple[Choice, ...]:
    if not chosen.group:
        return ()
    group = [tab for tab in card.tabs if tab.group == chosen.group]
    drilled = drilled_value(view, group[0].dimensions[0]) if len(group[-1].dimensions) > 1 else ""
    if drilled:
        # The list of all would be this one alone, so there is no choice.
        return (Choice(f"{drilled} by version", write_view(view), True),)
    return tuple(Choice(tab.label, _to_tab(view, card, tab, anchor), tab == chosen) for tab in group)


def _to_tab(view: View, card: Card, tab: Tab, anchor: str) -> str:
    chosen = {**dict(view.tabs), card.id: tab.id}
    tabs = tuple((one.id, chosen[one.id]) for one in CARDS if chosen.get(one.id, one.default) != one.default)
    return address(view, anchor=anchor, tabs=tabs)


def _draw_events(
    view: View, card: Card, questions: Questions, answer: CardAnswer | Missing, everyone: float | None
) -> CardDrawing:
    missing = answer if isinstance(answer, Missing) else None
    drawing = CardDrawing(
        id=card.id,
        title=card.title,
        column="Event",
        tab="event",
        tabs=(),
        missing=missing,
        is_whole=missing is None and everyone is not None,
        counts_events=True,
        query=write_view(view),
        details=write_view(view),
    )
    if view.event:
        only = Comparison("is", "event:name", (view.event,))
        drawing = replace(
            drawing,
            heading=view.event,
            filter_href="" if only in view.filters else address(toggle_filters(view, [only])),
            back=address(view, anchor=card.id, event="", prop=""),
        )
    if isinstance(answer, Missing):
        return drawing
    report = event_report(view, card, answer.prop) if view.event else report_of(view, card)
    if not view.event:
        return replace(drawing, rows=_rows(view, report, questions, answer, everyone))
    rows = _rows(view, report, questions, answer, everyone) if answer.prop else ()
    properties = tuple(
        Choice(name, address(view, anchor=card.id, prop=name), name == answer.prop) for name in answer.properties
    )
    return replace(drawing, column=report.column, more_tabs=properties, facts=_event_facts(answer, everyone), rows=rows)


def _event_facts(answer: CardAnswer, everyone: float | None) -> str:
    row = answer.totals.rows[0] if answer.totals and answer.totals.rows else Row((), (0, 0))
    visitors, events = (float(value or 0) for value in row.metrics)
    said = f"{counted(visitors, 'visitor')}, {counted(events, 'time')}"
    return f"{said}, {percent(100 * visitors / everyone)} of all visitors" if everyone else said


def counted(count: float, noun: str) -> str:
    """`1 visitor`, `1,204 visitors`."""
    return f"{count:,.0f} {noun}{'' if count == 1 else 's'}"


def _rows(
    view: View, report: Report, questions: Questions, answer: CardAnswer, everyone: float | None
) -> tuple[CardRow, ...]:
    longest = max((float(row.metrics[0] or 0) for row in answer.rows.rows), default=0) or 1
    shown = answer.rows.rows[: ROWS_BELOW_MAP if report.tab.id == "map" else ROWS]
    return tuple(_row(view, report, questions, answer, row, longest, everyone) for row in shown)


def _country(view: View, report: Report, row: Row, everyone: float | None) -> MapValue:
    visitors = row.metrics[0] or 0
    return MapValue(
        code=row.dimensions[0],
        name=row_words(report, row),
        visitors=int(visitors),
        share_text=percent(100 * visitors / everyone) if everyone else "",
        href=address(toggle_filters(view, row_parts(report, row))),
    )


def _row(
    view: View,
    report: Report,
    questions: Questions,
    answer: CardAnswer,
    row: Row,
    longest: float,
    everyone: float | None,
) -> CardRow:
    visitors = float(row.metrics[0] or 0)
    share = 100 * visitors / everyone if everyone else 0.0
    words, parts = row_words(report, row), row_parts(report, row)
    is_filter = all(part in view.filters for part in parts)
    href = address(toggle_filters(view, parts))
    hint = f"Remove the filter {words}" if is_filter else f"Filter by {words}"
    if report.dimensions == ("event:name",):
        href, hint = address(view, anchor="events", event=row.dimensions[0], prop=""), f"Properties of {words}"
    full = counted(visitors, "visitor") + (f", {share:.1f} %" if everyone else "")
    change = _change(questions, answer, row, visitors)
    return CardRow(
        label=words,
        count=_count(visitors),
        full=f"{full} · {change}" if change else full,
        events=_count(float(row.metrics[1] or 0)) if len(row.metrics) > 1 else "",
        share="" if everyone is None else percent(share),
        bar=f"{max(100 * visitors / longest, 0.5):.1f}%",
        href=href,
        hint=f"{hint} · {change}" if change else hint,
        is_filter=is_filter,
    )


def _change(questions: Questions, answer: CardAnswer, row: Row, visitors: float) -> str:
    """How the row changed; empty where nothing is compared, or the row was not among the most frequent before."""
    if questions.before is None or answer.before is None:
        return ""
    before = _find(answer.before.rows, row.dimensions)
    if before is None and len(answer.before.rows) >= ROWS_COMPARED:
        return ""
    change = change_of("visitors", visitors, before or 0.0, "", "")
    return f"{change.arrow or '='} {change.text} from {before or 0:,.0f} ({questions.before.words})"


def _find(rows: Iterable[Row], dimensions: tuple[str, ...]) -> float | None:
    return next((float(row.metrics[0] or 0) for row in rows if row.dimensions == dimensions), None)


def _count(count: float) -> str:
    return metric_text("visitors", count) if count >= 1e6 else f"{count:,.0f}"
