"""Everything that a site's page shows in a view, as one archive of CSV files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from litestar import Response
from litestar.response import Template

from turnout.errors import BadInput
from turnout.model.query import Query, Result
from turnout.web.mount import Desk, Mount, PageRequest, read_parameters, unreadable
from turnout.web.page.cards import CARDS, CARDS_BY_ID
from turnout.web.page.csv_file import about_rows, file_name, report_csv, write_csv
from turnout.web.page.details import CSV_ROWS
from turnout.web.page.filter_bar import filter_words
from turnout.web.page.questions import Questions, ask, needs_first_day
from turnout.web.page.reports import Report, event_report
from turnout.web.page.span_words import bucket_at, name_range
from turnout.web.page.state import METRICS, View, read_view
from turnout.web.site_details import csv_response, dates_of

AT_ONCE = 3
"""Reports asked for at once: an export must not fill the pool that pages wait in."""


async def site_export(request: PageRequest, mount: Mount, desk: Desk) -> Response[bytes] | Template:
    """One CSV file for the chart and for each report of the view's period and filters, up to `CSV_ROWS` rows each.

    `about.txt` beside them says what they are, and which are cut. Raises as `QueryRunner.answer` does.
    """
    try:
        view = read_view(read_parameters(request))
    except BadInput as bad:
        return unreadable(request, mount, bad)
    now = desk.now(mount.site)
    first_day = await desk.exporter.first_day(mount.site) if needs_first_day(view) else None
    questions = ask(view, now, first_day)
    archive = _Archive(now)
    series = await desk.exporter.answer(mount.site, _series(view, questions))
    archive.add(f"numbers-by-{questions.step}.csv", _series_csv(questions, series, now), len(series.rows))
    await _add_reports(archive, mount, desk, view, questions)
    facts = (
        ("site", mount.site.domain),
        ("period", name_range(questions.span.range, now.tzinfo)),
        ("time zone", mount.site.timezone),
        *(("filter", filter_words(part)) for part in view.filters),
        ("made", f"{now:%Y-%m-%d %H:%M}"),
        *archive.said,
    )
    archive.put("about.txt", about_rows(facts).encode())
    name = file_name(mount.site.domain, dates_of(questions.span), suffix=".zip")
    return csv_response(archive.close(), name, "application/zip")


async def _add_reports(archive: _Archive, mount: Mount, desk: Desk, view: View, questions: Questions) -> None:
    reports = list(_reports(view, cities=desk.has_cities))
    if view.event:
        reports += await _property_reports(mount, desk, view, questions)
    for at in range(0, len(reports), AT_ONCE):
        some = reports[at : at + AT_ONCE]
        answers = await desk.exporter.answer_all(mount.site, [_rows(view, questions, report) for _, report in some])
        for (name, report), answer in zip(some, answers, strict=True):
            await desk.exporter.aside(
                partial(_add_report, archive, name, report), answer
            )  # ten thousand rows take a while


def _add_report(archive: _Archive, name: str, report: Report, answer: Result) -> None:
    archive.add(f"{name}.csv", report_csv(report, answer), len(answer.rows), answer.total_rows or 0)


class _Archive:
    """A zip file in the making, and what is said of its files."""

    def __init__(self, made: datetime) -> None:
        self._bytes = io.BytesIO()
        self._zip = ZipFile(self._bytes, "w", ZIP_DEFLATED)
        self._made = (made.year, made.month, made.day, made.hour, made.minute, made.second)
        self.said: list[tuple[str, str]] = []

    def add(self, name: str, content: bytes, rows: int, total: int = 0) -> None:
        cut = f", the first of {total:,}" if total > rows else ""
        self.said.append((name, f"{rows:,} rows{cut}"))
        self.put(name, content)

    def put(self, name: str, content: bytes) -> None:
        self._zip.writestr(ZipInfo(name, self._made), content, ZIP_DEFLATED)

    def close(self) -> bytes:
        self._zip.close()
        return self._bytes.getvalue()


def _reports(view: View, *, cities: bool) -> Iterator[tuple[str, Report]]:
    for card in CARDS:
        if card.id == "events":
            yield "events", event_report(View(filters=view.filters), card)
            continue
        for tab in card.tabs:
            # The map is the countries once more.
            if tab.id != "map" and (cities or not tab.needs_cities):
                yield f"{card.id}-{tab.id}", Report(tab, tab.column, tab.dimensions, tab.metrics)


async def _property_reports(mount: Mount, desk: Desk, view: View, questions: Questions) -> list[tuple[str, Report]]:
    names = await desk.exporter.property_names(mount.site, questions.span.range, view.event)
    card = CARDS_BY_ID["events"]
    return [
        (file_name("property", str(at), name, suffix=""), event_report(view, card, name))
        for at, name in enumerate(names, start=1)
    ]


def _rows(view: View, questions: Questions, report: Report) -> Query:
    return Query(
        metrics=report.metrics,
        range=questions.span.range,
        dimensions=report.dimensions,
        filters=report.all_filters(view),
        order_by=(("visitors", "desc"),),
        limit=CSV_ROWS,
        total_rows=True,
    )


def _series(view: View, questions: Questions) -> Query:
    return Query(
        metrics=tuple(METRICS),
        range=questions.span.range,
        dimensions=(f"time:{questions.step}",),
        filters=view.filters,
        time_labels=True,
    )


def _series_csv(questions: Questions, result: Result, now: datetime) -> bytes:
    found = {row.dimensions[0]: row.metrics for row in result.rows}
    current = bucket_at(now, questions.step, questions.span.days.first)
    none = (0,) * len(METRICS)
    labels = [label for label in result.time_labels or () if label <= current]
    return write_csv(
        [questions.step, *METRICS], ([label, *(value or 0 for value in found.get(label, none))] for label in labels)
    )
