"""The page of a card's details, from its answers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from turnout.model.query import Result, Row
from turnout.web.page.answers import Missing
from turnout.web.page.card_drawing import draw_tabs, row_parts, row_words
from turnout.web.page.change import Change, change_of
from turnout.web.page.chart import point_text
from turnout.web.page.details import (
    CSV_ROWS,
    NAME,
    OF_ENTRIES,
    ROWS_A_PAGE,
    Details,
    details_pairs,
    usual_order,
)
from turnout.web.page.links import Choice, address
from turnout.web.page.numbers import percent
from turnout.web.page.shifts import Before
from turnout.web.page.state import Pairs, span_pairs, state_pairs, toggle_filters, write_view

COLUMNS = {
    "visitors": "Visitors",
    "visits": "Visits",
    "pageviews": "Page views",
    "bounce_rate": "Bounce rate",
    "visit_duration": "Visit time",
    "events": "Events",
}
_ENTRY_COLUMNS = {"visits": "Entrances", "bounce_rate": "Bounce rate", "visit_duration": "Visit time"}


class DetailsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rows, all visitors, for pages what their visits were like, and the visitors of the rows in the time before."""

    rows: Result
    everyone: Result
    entries: Result | None = None
    before: Result | None = None


class Column(msgspec.Struct, frozen=True):
    """A heading. `href` sorts by it, empty where that can't be; `sorted`: `ascending`, `descending` or empty."""

    label: str
    href: str = ""
    sorted: str = ""


class DetailsRow(msgspec.Struct, frozen=True):
    """A line: its name, where a click leads, and its numbers as text. `change`: of its visitors."""

    label: str
    href: str
    hint: str
    is_filter: bool
    visitors: str
    change: Change | None
    cells: tuple[str, ...]


class DetailsDrawing(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table and what is around it."""

    id: str
    title: str
    tabs: tuple[Choice, ...]
    more_tabs: tuple[Choice, ...]
    missing: Missing | None = None
    name: Column
    visitors: Column
    compared: str = ""
    """With what the visitors are compared, in words; empty where they are not."""
    columns: tuple[Column, ...]
    rows: tuple[DetailsRow, ...] = ()
    counted: str = ""
    """Which rows these are, of how many."""
    earlier: str = ""
    later: str = ""
    search: str
    hidden: Pairs
    """State that the search form carries along."""
    query: str
    back: str
    """The query string of the site's page."""
    csv_note: str = ""


def draw_details(
    details: Details, answer: DetailsAnswer | Missing, *, words: str = "", before: Before | None = None, cities: bool
) -> DetailsDrawing:
    """The details of a card. `words` names their span of time, `before` is what it is compared with."""
    view, report = details.view, details.report
    tabs, more_tabs = draw_tabs(view, details.card, anchor="", cities=cities)
    unsorted = tuple(pair for pair in details_pairs(details) if pair[0] != "q")
    drawing = DetailsDrawing(
        id=details.card.id,
        title=f"{view.event}: {report.column}"
        if report.dimensions[0].startswith("event:props:")
        else details.card.title,
        tabs=tabs,
        more_tabs=more_tabs,
        name=_column(details, NAME, report.column),
        visitors=_column(details, "visitors", COLUMNS["visitors"]),
        compared=before.words if before else "",
        columns=tuple(_columns(details)),
        search=details.search,
        hidden=(*span_pairs(view), *state_pairs(view), *unsorted),
        query=write_view(view, details_pairs(details, page=details.page)),
        back=write_view(view),
    )
    if isinstance(answer, Missing):
        return replace(drawing, missing=answer)
    total = answer.rows.total_rows or 0
    first = (details.page - 1) * ROWS_A_PAGE
    last = first + len(answer.rows.rows)
    everyone = float(answer.everyone.rows[0].metrics[0] or 0) if answer.everyone.rows else 0.0
    entries = {row.dimensions[0]: row for row in answer.entries.rows} if answer.entries else {}
    then: dict[tuple[str, ...], Change] | None = None
    if before and answer.before:
        then = _changes(answer.rows, answer.before, words, before.words)
    return replace(
        drawing,
        rows=tuple(_row(details, row, everyone, entries, then) for row in answer.rows.rows),
        counted=f"{first + 1:,}–{last:,} of {total:,}" if answer.rows.rows else f"0 of {total:,}",
        earlier=write_view(view, details_pairs(details, page=details.page - 1)) if details.page > 1 else "",
        later=write_view(view, details_pairs(details, page=details.page + 1)) if last < total else "",
        csv_note=f"the first {CSV_ROWS:,} rows" if total > CSV_ROWS else "",
    )


def _columns(details: Details) -> list[Column]:
    """Those after the visitors, which are the first metric of every report."""
    columns = [Column("Share"), *(_column(details, metric, COLUMNS[metric]) for metric in details.report.metrics[1:])]
    if details.report.dimensions == ("event:page",):
        columns += [Column(_ENTRY_COLUMNS[metric]) for metric in OF_ENTRIES]
    return columns


def _column(details: Details, sort: str, label: str) -> Column:
    is_sorted = details.sort == sort
    order = usual_order(sort)
    if is_sorted:
        order = "asc" if details.order == "desc" else "desc"
    href = write_view(details.view, details_pairs(replace(details, sort=sort, order=order)))
    return Column(label, href, {"asc": "ascending", "desc": "descending"}[details.order] if is_sorted else "")


def _changes(rows: Result, before: Result, words: str, before_words: str) -> dict[tuple[str, ...], Change]:
    then = {row.dimensions: float(row.metrics[0] or 0) for row in before.rows}
    return {
        row.dimensions: change_of(
            "visitors", float(row.metrics[0] or 0), then.get(row.dimensions, 0.0), words, before_words
        )
        for row in rows.rows
    }


def _row(
    details: Details,
    row: Row,
    everyone: float,
    entries: Mapping[str, Row],
    changes: Mapping[tuple[str, ...], Change] | None,
) -> DetailsRow:
    view, report = details.view, details.report
    parts, words = row_parts(report, row), row_words(report, row)
    is_filter = all(part in view.filters for part in parts)
    visitors, *cells = (
        point_text(metric, float(value or 0)) for metric, value in zip(report.metrics, row.metrics, strict=True)
    )
    cells.insert(0, percent(100 * float(row.metrics[0] or 0) / everyone) if everyone else "")
    if report.dimensions == ("event:page",):
        entry = entries.get(row.dimensions[0])
        cells += [
            point_text(metric, float(entry.metrics[at] or 0)) if entry else "–" for at, metric in enumerate(OF_ENTRIES)
        ]
    return DetailsRow(
        words,
        # Back on the site's page, where the answer to the click is.
        address(toggle_filters(view, parts)),
        f"Remove the filter {words}" if is_filter else f"Filter by {words}",
        is_filter,
        visitors,
        changes[row.dimensions] if changes else None,
        tuple(cells),
    )
