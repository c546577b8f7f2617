"""The details of a card: all its rows on pages of their own, and as a CSV file."""

from __future__ import annotations

from functools import partial

from litestar import Response
from litestar.response import Redirect, Template

from turnout.errors import BadInput, NotFound
from turnout.model.query import Days
from turnout.web.mount import HEADERS, Desk, Mount, PageRequest, draw_template, read_parameters, unreadable
from turnout.web.page.cards import CARDS_BY_ID
from turnout.web.page.csv_file import file_name, report_csv
from turnout.web.page.details import (
    CSV_ROWS,
    Details,
    before_query,
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
from turnout.web.page.questions import Questions, ask, needs_first_day
from turnout.web.page.span_words import name_range
from turnout.web.page.state import write_view
from turnout.web.patience import Old, Part, in_time

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
    questions = ask(details.view, now, first_day)
    span = questions.span
    if card_id.endswith(".csv"):
        return await _csv(mount, desk, details, span)
    key = (desk.runner, mount.site, details, span, questions.before)
    part = Part(key, lambda: _answer(mount, desk, details, questions))
    found = (await in_time({"details": part}, patience_s=patience_s))["details"]
    assert not isinstance(found, Old)
    words = name_range(span.range, now.tzinfo)
    drawing = draw_details(details, found, words=words, before=questions.before, cities=desk.has_cities)
    bar = draw_bar(details.view, questions, now, details_pairs(details))
    context: dict[str, object] = {"details": drawing, "bar": bar}
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


async def _answer(mount: Mount, desk: Desk, details: Details, questions: Questions) -> DetailsAnswer:
    span = questions.span
    rows, everyone = await desk.runner.answer_all(
        mount.site, [rows_query(details, span), everyone_query(details, span)]
    )
    more = {
        "entries": entries_query(details, span, tuple(row.dimensions[0] for row in rows.rows)),
        "before": before_query(details, questions.before, rows),
    }
    asked = {name: query for name, query in more.items() if query is not None}
    answers = dict(zip(asked, await desk.runner.answer_all(mount.site, list(asked.values())), strict=True))
    return DetailsAnswer(rows=rows, everyone=everyone, entries=answers.get("entries"), before=answers.get("before"))


async def _csv(mount: Mount, desk: Desk, details: Details, span: Span) -> Response[bytes]:
    rows = await desk.runner.answer(mount.site, rows_query(details, span, limit=CSV_ROWS, offset=0))
    report = details.report
    total = rows.total_rows or 0
    cut = f"first_{CSV_ROWS}" if total > CSV_ROWS else ""
    name = file_name(mount.site.domain, details.card.id, report.tab.id, dates_of(span), cut, suffix=".csv")
    content = await desk.runner.aside(partial(report_csv, report), rows)
    return csv_response(content, name, "text/csv", total)


def _is_one_day(days: Days) -> bool:
    return days.first == days.last
