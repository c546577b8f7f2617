"""The details of a card: what its page's address says beside the view, and what it asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from turnout.errors import BadInput
from turnout.model.query import AnyOf, Comparison, Filter, Query, Result
from turnout.web.page.cards import OF_EVENTS, OF_VISITS, Card
from turnout.web.page.periods import Span
from turnout.web.page.reports import Report, report_of
from turnout.web.page.shifts import Before
from turnout.web.page.state import Pairs, View, one_of, read_view

ROWS_A_PAGE = 100
CSV_ROWS = 10_000
SEARCH_LIMIT_CHARS = 200
PAGE_LIMIT = 100_000
NAME = "name"
"""The column of the values, in `sort`."""
ORDERS: dict[str, Literal["asc", "desc"]] = {"asc": "asc", "desc": "desc"}


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What a details page shows: a view's report, searched, sorted, a page of it."""

    card: Card
    view: View
    report: Report
    search: str = ""
    sort: str = "visitors"
    order: Literal["asc", "desc"] = "desc"
    page: int = 1


def read_details(parameters: Iterable[tuple[str, str]], card: Card) -> Details:
    """The details an address names. Raises `BadInput` with the parameter's name as its field.

    A column that this list does not have is as if not given: tabs have different columns.
    """
    pairs = list(parameters)
    view = read_view(pairs)
    single = dict(pairs)
    report = report_of(view, card)
    sort = one_of("sort", single.get("sort", "visitors"), dict.fromkeys([NAME, *OF_VISITS, *OF_EVENTS]))
    if sort not in (NAME, *report.metrics):
        sort = "visitors"
    usual = usual_order(sort)
    return Details(
        card=card,
        view=view,
        report=report,
        search=_search(single.get("q", "")),
        sort=sort,
        order=ORDERS[one_of("order", single.get("order", usual), ORDERS)],
        page=_page(single.get("page", "1")),
    )


def usual_order(sort: str) -> Literal["asc", "desc"]:
    """How a column is sorted at first: names from A, numbers from the highest."""
    return "asc" if sort == NAME else "desc"


def details_pairs(details: Details, *, page: int = 1) -> Pairs:
    """What the address says beside the view; what is the default is left out."""
    named = {
        "q": details.search,
        "sort": details.sort if details.sort != "visitors" else "",
        "order": details.order if details.order != usual_order(details.sort) else "",
        "page": str(page) if page > 1 else "",
    }
    return tuple((name, value) for name, value in named.items() if value)


def rows_query(details: Details, span: Span, *, limit: int = ROWS_A_PAGE, offset: int | None = None) -> Query:
    """The question for a page of rows, with the number of all rows."""
    dimensions = details.report.dimensions
    by = (
        [(dimension, details.order) for dimension in dimensions]
        if details.sort == NAME
        else [(details.sort, details.order)]
    )
    return Query(
        metrics=details.report.metrics,
        range=span.range,
        dimensions=dimensions,
        filters=(*details.report.all_filters(details.view), *_search_filters(details)),
        order_by=tuple(by),
        limit=limit,
        offset=(details.page - 1) * ROWS_A_PAGE if offset is None else offset,
        total_rows=True,
    )


def everyone_query(details: Details, span: Span) -> Query:
    """The question for all visitors of the view, of whom the rows are shares."""
    return Query(metrics=("visitors",), range=span.range, filters=details.view.filters)


OF_ENTRIES = ("visits", "bounce_rate", "visit_duration")
"""What can be said of pages as the places where visits begin."""


def entries_query(details: Details, span: Span, pages: tuple[str, ...]) -> Query | None:
    """The question for the visits that began on these pages; None where the report is not of pages.

    Apart from `rows_query`: asked for together, a search for a page would also list the pages on which the visits
    began that came to see it.
    """
    if details.report.dimensions != ("event:page",) or not pages:
        return None
    return Query(
        metrics=OF_ENTRIES,
        range=span.range,
        dimensions=("visit:entry_page",),
        filters=(*details.view.filters, Comparison("is", "visit:entry_page", pages)),
        limit=len(pages),
    )


def before_query(details: Details, before: Before | None, rows: Result) -> Query | None:
    """The question for the visitors of the same rows in the time before; None where nothing is compared."""
    if before is None or not rows.rows:
        return None
    same = tuple(
        Comparison("is", dimension, tuple(dict.fromkeys(row.dimensions[at] for row in rows.rows)))
        for at, dimension in enumerate(details.report.dimensions)
    )
    return Query(
        metrics=("visitors",),
        range=before.range,
        dimensions=details.report.dimensions,
        filters=(*details.report.all_filters(details.view), *same),
    )


def _search_filters(details: Details) -> tuple[Filter, ...]:
    if not details.search:
        return ()
    # Countries are known by their names.
    named = {"visit:country": "visit:country_name"}
    tests = tuple(
        Comparison("contains", named.get(dimension, dimension), (details.search,), case_sensitive=False)
        for dimension in details.report.dimensions
    )
    return tests if len(tests) == 1 else (AnyOf(tests),)


def _search(text: str) -> str:
    if len(text) > SEARCH_LIMIT_CHARS:
        raise BadInput("q", f"expected at most {SEARCH_LIMIT_CHARS} characters")
    return text.strip()


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= PAGE_LIMIT):
        raise BadInput("page", f"expected a number from 1 to {PAGE_LIMIT}, got {text[:40]!r}")
    return int(text)
