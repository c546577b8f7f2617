"""The JSON body of `POST /api/v2/query`: checked into an `Ask`, then resolved for a site into a `Query`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from turnout.errors import BadInput, TooLarge
from turnout.model.query import Filter, Query
from turnout.model.site import Site
from turnout.query import dimensions, metrics
from turnout.query.dimensions import nearest, shown
from turnout.query.filters import parse_filters
from turnout.query.labels import check_label_count
from turnout.query.ranges import Span, bucket_for, parse_span, resolve_span
from turnout.store.duckdb.patterns import pattern_problem

MAX_BODY_BYTES = 64 * 1024
MAX_METRICS = 20
MAX_DIMENSIONS = 5
MAX_LIMIT = 10_000
MAX_OFFSET = 10_000_000
MAX_SITE_ID_LENGTH = 253

Direction = Literal["asc", "desc"]

_KEYS = ("site_id", "metrics", "date_range", "dimensions", "filters", "order_by", "include", "pagination")
_INCLUDES = ("imports", "time_labels", "total_rows", "comparisons")


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A checked body whose site and dates are not looked up yet. `site_id` is the site's domain, in lower case."""

    site_id: str
    metrics: tuple[str, ...]
    span: Span
    dimensions: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    order_by: tuple[tuple[str, Direction], ...] = ()
    limit: int = MAX_LIMIT
    offset: int = 0
    time_labels: bool = False
    total_rows: bool = False
    imports: bool = False

    @property
    def needs_first_day(self) -> bool:
        """Whether `resolve` has to know the day of the site's first event."""
        return self.span == "all"


def parse_body(body: bytes) -> Ask:
    """Check a request body. Raises `BadInput` (`TooLarge` above 64 KiB) with the path of what can't be used."""
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge("", f"a query may have {MAX_BODY_BYTES} bytes at most")
    return parse_ask(_decode(body))


def parse_ask(raw: object) -> Ask:
    """Check a decoded body. Raises `BadInput` with the path of what can't be used."""
    if not isinstance(raw, dict):
        raise BadInput("", "expected a JSON object")
    _only(raw, _KEYS, "")
    metric_names = _metrics(_required(raw, "metrics"))
    dimension_names = _dimensions(raw.get("dimensions", []))
    _check_pairs(metric_names, dimension_names)
    include = _include(raw.get("include", {}), dimension_names)
    limit, offset = _pagination(raw.get("pagination", {}))
    return Ask(
        site_id=_site_id(_required(raw, "site_id")),
        metrics=metric_names,
        span=parse_span(_required(raw, "date_range")),
        dimensions=dimension_names,
        filters=parse_filters(raw.get("filters", []), pattern_problem),
        order_by=_order_by(raw.get("order_by", []), metric_names, dimension_names),
        limit=limit,
        offset=offset,
        time_labels=include["time_labels"],
        total_rows=include["total_rows"],
        imports=include["imports"],
    )


def resolve(ask: Ask, site: Site, now: datetime, first_day: date | None = None) -> Query:
    """The query that `ask` means for `site` at `now` (aware).

    `first_day` is the local day of the site's first event, and matters only where `ask.needs_first_day`; a site without
    events begins today. Raises `BadInput` when the range ends before it begins, is too long, or has too many buckets.
    """
    zone = ZoneInfo(site.timezone)
    span = resolve_span(ask.span, zone, now, first_day)
    bucket = bucket_for(span)

    def chosen(name: str) -> str:
        return bucket if name == "time" else name

    names = tuple(chosen(name) for name in ask.dimensions)
    order = tuple((chosen(name), direction) for name, direction in ask.order_by)
    query = Query(
        metrics=ask.metrics,
        range=span,
        dimensions=names,
        filters=ask.filters,
        order_by=order or _default_order(ask.metrics, names),
        limit=ask.limit,
        offset=ask.offset,
        time_labels=ask.time_labels,
        total_rows=ask.total_rows,
    )
    if query.time_labels:
        check_label_count(query)
    return query


def _decode(body: bytes) -> object:
    try:
        decoded: object = msgspec.json.decode(body)
    except RecursionError:
        raise BadInput("", "is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput("", f"expected JSON in UTF-8: {error}") from None
    return decoded


def _only(raw: dict[object, object], known: tuple[str, ...], path: str) -> None:
    for key in raw:
        if key not in known:
            raise BadInput(path, f"unknown key {shown(str(key))}{nearest(str(key), known)}")


def _required(raw: dict[object, object], key: str) -> object:
    if key not in raw:
        raise BadInput(key, "is required")
    return raw[key]


def _site_id(raw: object) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= MAX_SITE_ID_LENGTH:
        raise BadInput("site_id", "expected the domain of a site")
    return raw.lower()


def _metrics(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not raw:
        raise BadInput("metrics", f"expected a list of at least one of {', '.join(metrics.NAMES)}")
    if len(raw) > MAX_METRICS:
        raise BadInput("metrics", f"expected at most {MAX_METRICS} metrics")
    names: list[str] = []
    for at, name in enumerate(raw):
        path = f"metrics[{at}]"
        if not isinstance(name, str):
            raise BadInput(path, "expected the name of a metric")
        if name in metrics.UNSUPPORTED:
            raise BadInput(path, f"{name} is not supported")
        if name not in metrics.METRICS:
            raise BadInput(path, f"unknown metric {shown(name)}{nearest(name, metrics.NAMES)}")
        if name in names:
            raise BadInput(path, f"{name} is asked for twice")
        names.append(name)
    return tuple(names)


def _dimensions(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise BadInput("dimensions", "expected a list of dimensions")
    if len(raw) > MAX_DIMENSIONS:
        raise BadInput("dimensions", f"expected at most {MAX_DIMENSIONS} dimensions")
    names: list[str] = []
    has_time = False
    for at, name in enumerate(raw):
        path = f"dimensions[{at}]"
        if not isinstance(name, str):
            raise BadInput(path, "expected the name of a dimension")
        dimension = dimensions.find(name)
        if dimension is None:
            raise BadInput(path, dimensions.problem_of(name))
        if name in names:
            raise BadInput(path, f"{shown(name)} is asked for twice")
        if dimension.level == "time":
            if has_time:
                raise BadInput(path, "expected one time dimension at most")
            has_time = True
        names.append(name)
    return tuple(names)


def _check_pairs(metric_names: tuple[str, ...], dimension_names: tuple[str, ...]) -> None:
    for name in dimension_names:
        dimension = dimensions.find(name)
        if dimension is None or dimension.level != "event" or name == "event:page":
            continue
        for at, metric in enumerate(metric_names):
            if metrics.METRICS[metric].rows == "visits":
                raise BadInput(f"metrics[{at}]", f"{metric} is of whole visits and can't be divided by {shown(name)}")


def _order_by(
    raw: object, metric_names: tuple[str, ...], dimension_names: tuple[str, ...]
) -> tuple[tuple[str, Direction], ...]:
    if not isinstance(raw, list):
        raise BadInput("order_by", 'expected a list such as [["visitors", "desc"]]')
    asked = metric_names + dimension_names
    order: list[tuple[str, Direction]] = []
    for at, part in enumerate(raw):
        path = f"order_by[{at}]"
        if not isinstance(part, list) or len(part) != 2:
            raise BadInput(path, 'expected a pair such as ["visitors", "desc"]')
        name, direction = part
        if not isinstance(name, str) or name not in asked:
            raise BadInput(f"{path}[0]", "expected a metric or dimension that the query asks for")
        if any(name == earlier for earlier, _ in order):
            raise BadInput(f"{path}[0]", "is ordered by twice")
        if direction == "asc":
            order.append((name, "asc"))
        elif direction == "desc":
            order.append((name, "desc"))
        else:
            raise BadInput(f"{path}[1]", "expected asc or desc")
    return tuple(order)


def _default_order(metric_names: tuple[str, ...], names: tuple[str, ...]) -> tuple[tuple[str, Direction], ...]:
    by_time: list[tuple[str, Direction]] = [(name, "asc") for name in names if name.startswith("time")]
    return (*by_time, (metric_names[0], "desc"))


def _include(raw: object, dimension_names: tuple[str, ...]) -> dict[str, bool]:
    if not isinstance(raw, dict):
        raise BadInput("include", "expected an object")
    _only(raw, _INCLUDES, "include")
    if raw.get("comparisons") is not None:
        raise BadInput("include.comparisons", "comparisons are not supported")
    flags: dict[str, bool] = {}
    for key in ("imports", "time_labels", "total_rows"):
        value = raw.get(key, False)
        if not isinstance(value, bool):
            raise BadInput(f"include.{key}", "expected true or false")
        flags[key] = value
    if flags["time_labels"] and not any(name.startswith("time") for name in dimension_names):
        raise BadInput("include.time_labels", "needs a time dimension")
    return flags


def _pagination(raw: object) -> tuple[int, int]:
    if not isinstance(raw, dict):
        raise BadInput("pagination", "expected an object")
    _only(raw, ("limit", "offset"), "pagination")
    limit = _whole(raw.get("limit", MAX_LIMIT), 1, MAX_LIMIT, "pagination.limit")
    offset = _whole(raw.get("offset", 0), 0, MAX_OFFSET, "pagination.offset")
    return limit, offset


def _whole(raw: object, least: int, most: int, path: str) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not least <= raw <= most:
        raise BadInput(path, f"expected a whole number from {least} to {most}")
    return raw
