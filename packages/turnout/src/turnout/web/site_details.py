"""The details of a card: all its rows on pages of their own, and as a CSV file."""

from __future__ import annotations

from litestar import Response
from litestar.response import Redirect, Template

from turnout.errors import BadInput, NotFound
from turnout.model.query import Days, Result
from turnout.web.mount import HEADERS, Desk, Mount, PageRequest, draw_template, read_parameters, unreadable
from turnout.web.page.cards import CARDS_BY_ID
from turnout.web.page.csv_file import file_name, report_csv
from turnout.web.page.details import (
    CSV_ROWS,
    Details,
    details_pairs,
    entries_query,
    everyone_query,
    read_details,
    rows_query,
)
from turnout.web.page.details_drawing import DetailsAnswer, draw_details
from turnout.web.page.drawing import draw_bar
from turnout.web.page.filter_form import take_typed_filter
from turnout.web.page.periods import Span
from turnout.web.page.questions import ask, needs_first_day, span_in
from turnout.web.page.state import write_view
from turnout.web.patience import Part, in_time

DETAILS_PATIENCE_S = 5.0
"""How long the one table of the page is waited for."""


async def site_details(
    request: PageRequest, mount: Mount, desk: Desk, card_id: str, *, patience_s: float = DETAILS_PATIENCE_S
) -> Template | Redirect | Response[bytes]:
    """The details of a card; as CSV where `card_id` ends in `.csv`. Raises `NotFound` for other cards.

    The CSV raises as `QueryRunner.answer` does; the page says that its rows could not be counted.
    """
    card = CARDS_BY_ID.get(card_id.removesuffix(".csv"))
    if card is None:
        raise NotFound(f"no card {card_id[:40]!r} on this page")
    try:
        parameters = read_parameters(request)
        typed = take_typed_filter(parameters)
        details = read_details(typed or parameters, card)
    except BadInput as bad:
        return unreadable(request, mount, bad)
    if typed is not None:
        return Redirect(request.url.path + write_view(details.view, details_pairs(details)), status_code=303)
    now = desk.now(mount.site)
    first_day = await desk.runner.first_day(mount.site) if needs_first_day(details.view) else None
    span = span_in(details.view, now, first_day)
    if card_id.endswith(".csv"):
        return await _csv(mount, desk, details, span)
    part = Part((desk.runner, mount.site, details, span), lambda: _answer(mount, desk, details, span))
    found = await in_time({"details": part}, patience_s=patience_s)
    context: dict[str, object] = {
        "details": draw_details(details, found["details"], cities=desk.has_cities),
        "bar": draw_bar(details.view, ask(details.view, now, first_day), now, details_pairs(details)),
    }
    return draw_template("details.html", mount, context)


def csv_response(content: bytes, name: str, media_type: str, total: int | None = None) -> Response[bytes]:
    """A file to save. `total`: of how many rows it holds the first `CSV_ROWS`, said in a header where it is cut."""
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    if total is not None and total > CSV_ROWS:
        headers["x-turnout-rows"] = f"{CSV_ROWS} of {total}"
    return Response(content, media_type=media_type, headers=headers)


def dates_of(span: Span) -> str:
    """The days of a span for a file's name."""
    return span.days.first.isoformat() + ("" if _is_one_day(span.days) else f"_to_{span.days.last.isoformat()}")


async def _answer(mount: Mount, desk: Desk, details: Details, span: Span) -> DetailsAnswer:
    queries = [rows_query(details, span), everyone_query(details, span)]
    rows, everyone = await desk.runner.answer_all(mount.site, queries)
    return DetailsAnswer(rows=rows, everyone=everyone, entries=await _entries(mount, desk, details, span, rows))


async def _entries(mount: Mount, desk: Desk, details: Details, span: Span, rows: Result) -> Result | None:
    query = entries_query(details, span, tuple(row.dimensions[0] for row in rows.rows))
    return await desk.runner.answer(mount.site, query) if query else None


async def _csv(mount: Mount, desk: Desk, details: Details, span: Span) -> Response[bytes]:
    rows = await desk.runner.answer(mount.site, rows_query(details, span, limit=CSV_ROWS, offset=0))
    report = details.report
    total = rows.total_rows or 0
    cut = f"first_{CSV_ROWS}" if total > CSV_ROWS else ""
    name = file_name(mount.site.domain, details.card.id, report.tab.id, dates_of(span), cut, suffix=".csv")
    return csv_response(report_csv(report, rows), name, "text/csv", total)


def _is_one_day(days: Days) -> bool:
    return days.first == days.last
