"""Every event of a site, page by page, as one CSV file of an archive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import TypeVar, cast

import msgspec

from turnout.jobs.exports import Going
from turnout.model.query import Days
from turnout.model.site import Site
from turnout.query.listing import COLUMNS, count_plan, events_plan
from turnout.query.run import QueryRunner
from turnout.web.export_archive import Archive
from turnout.web.page.csv_file import safe, write_lines

PAGE = 10_000
"""Events asked for at once: what bounds the memory, to some tens of megabytes, and how long one statement takes."""
EVER = Days(date(1, 1, 1), date(9999, 12, 30))

T = TypeVar("T")
Patient = Callable[[Callable[[], Awaitable[list[tuple[object, ...]]]]], Awaitable[list[tuple[object, ...]]]]


async def add_events(
    archive: Archive, site: Site, days: Days | None, patient: Patient, runner: QueryRunner, going: Going
) -> None:
    """Adds `events.csv`, in the order in which the events came. Raises as `QueryRunner.answer` does, and `TooLarge`."""
    span = days or EVER
    total = cast("int", (await patient(lambda: runner.rows(site, count_plan(site, span))))[0][0])
    done, after = 0, 0
    with archive.open("events.csv") as file:
        file.write(write_lines([COLUMNS]))
        while True:
            going.tell(done, total)
            await going.pause()
            plan = events_plan(site, span, after, PAGE)
            rows = await patient(lambda plan=plan: runner.rows(site, plan))  # type: ignore[misc]
            if not rows:
                break
            file.write(write_lines([_cell(value) for value in row] for row in rows))
            done, after = done + len(rows), cast("int", rows[-1][0])
            archive.check_size()
    archive.say("events.csv", f"{done:,} rows")


def _cell(value: object) -> object:
    """As a CSV file tells it: properties as JSON, instants as ISO 8601, nothing as nothing."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return int(value)
    return value
