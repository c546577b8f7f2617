"""Makes the files of exports: everything that a site's page shows in a view, or every event, as CSV in an archive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from seawall import Overloaded
from seawall.clock import Clock
from turnout.errors import NotFound, StoreUnavailable
from turnout.jobs.export_shelf import Export
from turnout.jobs.exports import Going
from turnout.model.query import Days, Query, Result
from turnout.model.site import Site
from turnout.query.run import QueryRunner
from turnout.web.export_archive import Archive
from turnout.web.export_events import add_events
from turnout.web.page.cards import CARDS, CARDS_BY_ID
from turnout.web.page.csv_file import file_name, report_csv, write_csv
from turnout.web.page.details import CSV_ROWS
from turnout.web.page.filter_bar import filter_words
from turnout.web.page.questions import Questions, ask, needs_first_day
from turnout.web.page.reports import Report, event_report
from turnout.web.page.span_words import bucket_at, name_range
from turnout.web.page.state import METRICS, View, read_view
from turnout.web.site_details import dates_of

ATTEMPTS = 5
"""So often a question that the store could not answer in time is asked again, `AGAIN_S` later each time."""
AGAIN_S = 3.0

T = TypeVar("T")


class ExportBuilder:
    """`Build` in `jobs/exports.py`. `find` knows the sites; `runner`'s questions wait for everybody else's."""

    def __init__(
        self, runner: QueryRunner, find: Callable[[str], Site | None], clock: Clock, *, has_cities: bool
    ) -> None:
        self._runner = runner
        self._find = find
        self._clock = clock
        self._has_cities = has_cities

    async def __call__(self, export: Export, file: Path, going: Going) -> str:
        """Writes the archive and returns its name. Raises `TurnoutError`."""
        site = self._find(export.domain)
        if site is None or site.id != export.site_id:
            raise NotFound("the site is deleted")
        now = datetime.fromtimestamp(self._clock.time(), UTC).astimezone(ZoneInfo(site.timezone))
        with Archive(file, now, going.most_bytes) as archive:
            if export.kind == "events":
                days = days_of_question(export.question)
                await add_events(archive, site, days, self._patient, self._runner, going)
                archive.tell_about((("site", site.domain), ("time zone", site.timezone), *_days_told(days)))
                return file_name(site.domain, "events", *_days_named(days), suffix=".zip")
            return await _Report(self, site, read_view(parse_qsl(export.question)), now, going).write(archive)

    async def _patient(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns, which is tried again where the store has no time for it."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await work()
            except (StoreUnavailable, Overloaded):
                await asyncio.sleep(AGAIN_S)
        return await work()


class _Report:
    """One CSV file for the chart and for each report of a view's period and filters, up to `CSV_ROWS` rows each.

    `about.txt` beside them says what they are, and which are cut.
    """

    def __init__(self, builder: ExportBuilder, site: Site, view: View, now: datetime, going: Going) -> None:
        self._runner = builder._runner
        self._patient = builder._patient
        self._has_cities = builder._has_cities
        self._site = site
        self._view = view
        self._now = now
        self._going = going

    async def write(self, archive: Archive) -> str:
        """Everything, and the name of the file."""
        view, now = self._view, self._now
        first_day = await self._first_day() if needs_first_day(view) else None
        questions = ask(view, now, first_day)
        reports = list(_reports(view, cities=self._has_cities))
        if view.event:
            reports += await self._property_reports(questions)
        series = await self._answer(_series(view, questions))
        archive.add(f"numbers-by-{questions.step}.csv", _series_csv(questions, series, now), len(series.rows))
        for done, (name, report) in enumerate(reports, start=1):
            self._going.tell(done, len(reports) + 1)
            await self._going.pause()
            answer = await self._answer(_rows(view, questions, report))
            archive.add(f"{name}.csv", report_csv(report, answer), len(answer.rows), answer.total_rows or 0)
        archive.tell_about(
            (
                ("site", self._site.domain),
                ("period", name_range(questions.span.range, now.tzinfo)),
                ("time zone", self._site.timezone),
                *(("filter", filter_words(part)) for part in view.filters),
            )
        )
        return file_name(self._site.domain, dates_of(questions.span), suffix=".zip")

    async def _answer(self, query: Query) -> Result:
        return await self._patient(lambda: self._runner.answer(self._site, query))

    async def _first_day(self) -> date | None:
        return await self._patient(lambda: self._runner.first_day(self._site))

    async def _property_reports(self, questions: Questions) -> list[tuple[str, Report]]:
        event = self._view.event
        names = await self._patient(lambda: self._runner.property_names(self._site, questions.span.range, event))
        card = CARDS_BY_ID["events"]
        return [
            (file_name("property", str(at), name, suffix=""), event_report(self._view, card, name))
            for at, name in enumerate(names, start=1)
        ]


def days_of_question(question: str) -> Days | None:
    """The days that an export of events is of; None: all there are."""
    asked = dict(parse_qsl(question))
    if not asked:
        return None
    return Days(date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"]))


def _days_told(days: Days | None) -> tuple[tuple[str, str], ...]:
    return (("days", "all" if days is None else f"{days.first} to {days.last}"),)


def _days_named(days: Days | None) -> tuple[str, ...]:
    return () if days is None else (f"{days.first}_to_{days.last}",)


def _reports(view: View, *, cities: bool) -> Iterator[tuple[str, Report]]:
    for card in CARDS:
        if card.id == "events":
            yield "events", event_report(View(filters=view.filters), card)
            continue
        for tab in card.tabs:
            # The map is the countries once more.
            if tab.id != "map" and (cities or not tab.needs_cities):
                yield f"{card.id}-{tab.id}", Report(tab, tab.column, tab.dimensions, tab.metrics)


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
