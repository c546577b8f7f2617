"""The slow, obvious answer to a query, from the raw events alone: plain loops, no SQL, nothing shared with the product.

It knows the events as they are in the journal and the definitions in docs/reference/stats-api.md, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from turnout.model.countries import NAMES as COUNTRY_NAMES
from turnout.model.event import Event

VISIT_METRICS = {"visits", "views_per_visit", "bounce_rate", "visit_duration"}
EPOCH = datetime(1970, 1, 1)


class Visit:
    """All events of one visitor without a silence of more than half an hour."""

    def __init__(self, first: Event) -> None:
        self.first = first
        self.events: list[Event] = []
        self.last_ms = first.at_ms

    def add(self, event: Event) -> None:
        self.events.append(event)
        self.last_ms = max(self.last_ms, event.at_ms)

    @property
    def counted(self) -> list[Event]:
        return [event for event in self.events if event.name != "engagement"]

    @property
    def pageviews(self) -> int:
        return sum(event.name == "pageview" for event in self.events)

    @property
    def is_bounce(self) -> bool:
        others = [event for event in self.counted if event.name != "pageview" and event.interactive]
        return self.pageviews == 1 and not others

    @property
    def duration_ms(self) -> int:
        return 0 if self.is_bounce else self.last_ms - self.first.at_ms

    @property
    def exit_page(self) -> str:
        views = [event for event in self.events if event.name == "pageview"]
        return (views or self.counted)[-1].page


def split(events: Sequence[Event]) -> list[Visit]:
    """The visits of one site, from its events in journal order."""
    visits: list[Visit] = []
    latest: dict[int, Visit] = {}
    for event in events:
        visit = latest.get(event.visitor)
        if visit is None or event.at_ms - visit.last_ms > 30 * 60 * 1000:
            if event.name == "engagement":
                continue
            visit = Visit(event)
            visits.append(visit)
            latest[event.visitor] = visit
        visit.add(event)
    return visits


def local(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


class Oracle:
    """Answers queries about one site. `zone` is its present zone; the events carry their own wall clocks."""

    def __init__(self, events: Sequence[Event], zone: str, now: datetime) -> None:
        self.visits = split(events)
        self.zone = ZoneInfo(zone)
        self.today = now.astimezone(self.zone).date()

    def answer(self, query: dict) -> dict:
        """`results`, and where asked for `time_labels` and `total_rows`."""
        span = Span(query["date_range"], self)
        dimensions = [span.bucket if name == "time" else name for name in query.get("dimensions", [])]
        filters = query.get("filters", [])
        rows = [(e, v) for v in self.visits for e in v.counted if span.holds(e) and fits_all(filters, e, v)]
        qualifying = {id(visit) for _, visit in rows}
        begun = [v for v in self.visits if span.holds(v.first) and id(v) in qualifying]

        groups: dict[tuple[str, ...], Group] = {}
        if not dimensions:
            groups[()] = Group()
        if set(query["metrics"]) - VISIT_METRICS:
            for event, visit in rows:
                key = tuple(self.read(name, event, visit, span) for name in dimensions)
                groups.setdefault(key, Group()).events.append(event)
        if set(query["metrics"]) & VISIT_METRICS:
            for visit in begun:
                key = tuple(self.read_of_visit(name, visit, span) for name in dimensions)
                groups.setdefault(key, Group()).visits.append(visit)

        everyone = len({event.visitor for event, _ in rows})
        lines = [(key, [group.metric(name, everyone) for name in query["metrics"]]) for key, group in groups.items()]
        lines = self.ordered(lines, dimensions, query)
        page = query.get("pagination", {})
        offset = page.get("offset", 0)
        shown = lines[offset : offset + page.get("limit", 10_000)]
        answer = {"results": [{"dimensions": list(key), "metrics": values} for key, values in shown]}
        include = query.get("include", {})
        if include.get("total_rows"):
            answer["total_rows"] = len(lines)
        if include.get("time_labels"):
            bucket = next(name for name in dimensions if name.startswith("time"))
            answer["time_labels"] = span.labels(bucket)
        return answer

    def ordered(self, lines: list, dimensions: list[str], query: dict) -> list:
        names = [*dimensions, *query["metrics"]]
        order = list(query.get("order_by", []))
        if not order:
            order = [[name, "asc"] for name in dimensions if name.startswith("time")] + [[query["metrics"][0], "desc"]]
        lines = sorted(lines, key=lambda line: line[0])
        for name, way in reversed(order):
            if name == "time":
                name = next(each for each in dimensions if each.startswith("time"))
            at = names.index(name)
            lines = sorted(lines, key=lambda line: [*line[0], *line[1]][at], reverse=way == "desc")
        return lines

    def read(self, name: str, event: Event, visit: Visit, span: Span) -> str:
        if name.startswith("time:"):
            return span.written(name, local(event.local_ms))
        return value(name, event, visit)

    def read_of_visit(self, name: str, visit: Visit, span: Span) -> str:
        return self.read(name, visit.first, visit, span)


class Group:
    """What falls on one line of an answer."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.visits: list[Visit] = []

    def metric(self, name: str, everyone: int) -> float:
        visits = len(self.visits)
        visitors = len({event.visitor for event in self.events})
        if name == "visitors":
            return visitors
        if name == "pageviews":
            return sum(event.name == "pageview" for event in self.events)
        if name == "events":
            return len(self.events)
        if name == "percentage":
            return rounded(Fraction(100 * visitors, everyone or 1), 1)
        if name == "visits":
            return visits
        if name == "views_per_visit":
            return rounded(Fraction(sum(v.pageviews for v in self.visits), visits or 1), 2)
        if name == "bounce_rate":
            return rounded(Fraction(100 * sum(v.is_bounce for v in self.visits), visits or 1), 0)
        if name == "visit_duration":
            return rounded(Fraction(sum(v.duration_ms for v in self.visits), 1000 * (visits or 1)), 0)
        raise AssertionError(name)


class Span:
    """A date range: which events it holds, and the names of its buckets."""

    def __init__(self, raw: str | list[str], oracle: Oracle) -> None:
        self.zone = oracle.zone
        self.instants: tuple[datetime, datetime] | None = None
        if isinstance(raw, str):
            self.first, self.last = named(raw, oracle)
        elif len(raw[0]) == 10:
            self.first, self.last = date.fromisoformat(raw[0]), date.fromisoformat(raw[1])
        else:
            first, last = datetime.fromisoformat(raw[0]), datetime.fromisoformat(raw[1])
            if first.tzinfo is None:
                first = first.replace(tzinfo=self.zone, fold=0)
            if last.tzinfo is None:
                last = last.replace(tzinfo=self.zone, fold=1)
            self.instants = (first.astimezone(UTC), last.astimezone(UTC))
            self.first, self.last = first.astimezone(self.zone).date(), last.astimezone(self.zone).date()
        self.bucket = self.automatic()

    def holds(self, event: Event) -> bool:
        if self.instants is None:
            return self.first <= local(event.local_ms).date() <= self.last
        first, last = self.instants
        at = local(event.at_ms).replace(tzinfo=UTC)
        # "12:00:05" as an end means all of that second.
        return first <= at and (at if last.microsecond else at.replace(microsecond=0)) <= last

    def automatic(self) -> str:
        if self.instants is None:
            length = timedelta(days=(self.last - self.first).days + 1)
        else:
            length = self.instants[1] - self.instants[0]
        steps = [
            (timedelta(hours=48), "time:hour"),
            (timedelta(days=40), "time:day"),
            (timedelta(weeks=52), "time:week"),
        ]
        return next((name for most, name in steps if length <= most), "time:month")

    def written(self, bucket: str, wall: datetime) -> str:
        if bucket == "time:minute":
            return wall.strftime("%Y-%m-%d %H:%M:00")
        if bucket == "time:hour":
            return wall.strftime("%Y-%m-%d %H:00:00")
        if bucket == "time:week":
            monday = wall.date() - timedelta(days=wall.weekday())
            return str(max(monday, self.first))
        return wall.strftime("%Y-%m-01" if bucket == "time:month" else "%Y-%m-%d")

    def labels(self, bucket: str) -> list[str]:
        """Every bucket that some minute of the range falls into."""
        if self.instants is None:
            at = datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC) - timedelta(days=2)
            end = datetime(self.last.year, self.last.month, self.last.day, tzinfo=UTC) + timedelta(days=3)
        else:
            at, end = self.instants
        found = set()
        while at <= end:
            wall = at.astimezone(self.zone)
            if self.first <= wall.date() <= self.last:
                found.add(self.written(bucket, wall))
            at = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return sorted(found)


def named(name: str, oracle: Oracle) -> tuple[date, date]:
    today = oracle.today
    if name == "day":
        return today, today
    if name == "month":
        return date(today.year, today.month, 1), today
    if name == "year":
        return date(today.year, 1, 1), today
    if name == "all":
        days = [local(event.local_ms).date() for visit in oracle.visits for event in visit.counted]
        return min([*days, today]), today
    if name in ("6mo", "12mo"):
        first = date(today.year, today.month, 1)
        for _ in range(int(name[:-2]) - 1):
            first = (first - timedelta(days=1)).replace(day=1)
        return first, today
    return today - timedelta(days=int(name[:-1])), today - timedelta(days=1)


def value(name: str, event: Event, visit: Visit) -> str:
    """What a dimension reads for an event of a visit."""
    if name.startswith("event:props:"):
        return event.props.get(name.removeprefix("event:props:"), "") or "(none)"
    if name in ("event:page", "event:name", "event:hostname"):
        return str(getattr(event, name.removeprefix("event:")))
    attribute = name.removeprefix("visit:")
    if attribute == "entry_page":
        return visit.first.page
    if attribute == "exit_page":
        return visit.exit_page
    if attribute == "country_name":
        code = visit.first.country
        return COUNTRY_NAMES.get(code, code) or "(not set)"
    missing = "Direct / None" if attribute in ("source", "referrer") else "(not set)"
    return getattr(visit.first, attribute) or missing


def fits_all(filters: Iterable, event: Event, visit: Visit) -> bool:
    return all(fits(each, event, visit) for each in filters)


def fits(part: list, event: Event, visit: Visit) -> bool:
    operator = part[0]
    if operator == "and":
        return all(fits(each, event, visit) for each in part[1])
    if operator == "or":
        return any(fits(each, event, visit) for each in part[1])
    if operator == "not":
        return not fits(part[1], event, visit)
    _, name, wanted, *options = part
    found = value(name, event, visit)
    if options and not options[0].get("case_sensitive", True):
        found, wanted = found.lower(), [each.lower() for each in wanted]
    tests = {
        "is": lambda each: found == each,
        "contains": lambda each: each in found,
        "matches": lambda each: re.search(each, found) is not None,
    }
    positive = operator.removesuffix("_not")
    holds = any(tests[positive](each) for each in wanted)
    return holds if positive == operator else not holds


def rounded(exact: Fraction, places: int) -> float:
    """Halves away from zero; the numbers here are never negative."""
    whole = floor(exact * 10**places + Fraction(1, 2))
    return whole if places == 0 else whole / 10**places
