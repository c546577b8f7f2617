from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from turnout.errors import BadInput, TooLarge
from turnout.model.query import AllOf, AnyOf, Comparison, Days, Not
from turnout.model.site import Site, SiteId, UserId
from turnout.query.parse import parse_ask, parse_body, resolve

GOOD = {"site_id": "one.example", "metrics": ["visitors"], "date_range": "7d"}
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SITE = Site(SiteId(1), "one.example", "Europe/Berlin", UserId(1))


def nested(depth: int) -> list:
    part: list = ["is", "visit:country", ["DE"]]
    for _ in range(depth - 1):
        part = ["not", part]
    return part


BAD = [
    ({"metrics": []}, "metrics", "at least one"),
    ({"metrics": "visitors"}, "metrics", "at least one"),
    ({"metrics": ["visitors", 1]}, "metrics[1]", "name of a metric"),
    ({"metrics": ["visiters"]}, "metrics[0]", "did you mean visitors?"),
    ({"metrics": ["visitors", "visitors"]}, "metrics[1]", "twice"),
    ({"metrics": ["visitors"] * 21}, "metrics", "at most 20"),
    ({"metrics": ["scroll_depth"]}, "metrics[0]", "not supported"),
    ({"metrics": ["visitors", "bounce_rate"], "dimensions": ["event:name"]}, "metrics[1]", "whole visits"),
    ({"site_id": 5}, "site_id", "domain"),
    ({"site_id": ""}, "site_id", "domain"),
    ({"dimensions": {}}, "dimensions", "list"),
    ({"dimensions": [None]}, "dimensions[0]", "name of a dimension"),
    ({"dimensions": ["visit:sourse"]}, "dimensions[0]", "did you mean visit:source?"),
    ({"dimensions": ["event:goal"]}, "dimensions[0]", "not supported"),
    ({"dimensions": ["event:props:"]}, "dimensions[0]", "event:props:NAME"),
    ({"dimensions": ["time:day", "time"]}, "dimensions[1]", "one time dimension"),
    ({"dimensions": ["visit:os", "visit:os"]}, "dimensions[1]", "twice"),
    ({"dimensions": [f"event:props:{n}" for n in range(6)]}, "dimensions", "at most 5"),
    ({"filters": {}}, "filters", "list"),
    ({"filters": ["is"]}, "filters[0]", "expected a filter"),
    ({"filters": [["is"]]}, "filters[0]", "dimension"),
    ({"filters": [["contain", "visit:os", ["x"]]]}, "filters[0][0]", "did you mean contains?"),
    ({"filters": [["has_done", ["is", "event:name", ["x"]]]]}, "filters[0][0]", "has_done is not supported"),
    ({"filters": [["is", "segment", [1]]]}, "filters[0][1]", "segments are not supported"),
    ({"filters": [["is", "event:goal", ["x"]]]}, "filters[0][1]", "not supported"),
    ({"filters": [["is", "time:day", ["x"]]]}, "filters[0][1]", "date_range"),
    ({"filters": [["is", "visit:os", "x"]]}, "filters[0][2]", "list"),
    ({"filters": [["is", "visit:os", []]]}, "filters[0][2]", "at least one"),
    ({"filters": [["is", "visit:os", ["x", 3]]]}, "filters[0][2][1]", "text"),
    ({"filters": [["is", "visit:os", ["x" * 2001]]]}, "filters[0][2][0]", "2000 characters"),
    ({"filters": [["is", "visit:os", ["x"] * 1001]]}, "filters[0][2]", "1000 filter values"),
    ({"filters": [["matches", "visit:os", ["ok", "("]]]}, "filters[0][2][1]", "missing )"),
    ({"filters": [["matches", "visit:os", ["x" * 1001]]]}, "filters[0][2][0]", "1000 characters"),
    ({"filters": [["matches", "visit:os", ["(x{1000}){1000}"]]]}, "filters[0][2][0]", "regular expression"),
    ({"filters": [["matches", "visit:os", ["x"] * 101]]}, "filters[0][2]", "20 patterns"),
    ({"filters": [["is", "visit:os", ["x"], []]]}, "filters[0][3]", "options"),
    ({"filters": [["is", "visit:os", ["x"], {"case": 1}]]}, "filters[0][3]", "unknown option"),
    ({"filters": [["is", "visit:os", ["x"], {"case_sensitive": 1}]]}, "filters[0][3].case_sensitive", "true or false"),
    ({"filters": [["matches", "visit:os", ["x"], {"case_sensitive": True}]]}, "filters[0][3]", "(?i)"),
    ({"filters": [["and", []]]}, "filters[0]", "at least one"),
    ({"filters": [["or", [["is", "visit:os", ["x"]], 5]]]}, "filters[0][1][1]", "expected a filter"),
    ({"filters": [["not"]]}, "filters[0]", '["not", filter]'),
    ({"filters": [nested(11)]}, "filters[0]" + "[1]" * 10, "nested 10 deep"),
    ({"filters": [["is", "visit:os", ["x"]]] * 101}, "filters[100]", "100 comparisons"),
    ({"order_by": "visitors"}, "order_by", "list"),
    ({"order_by": [["visitors"]]}, "order_by[0]", "pair"),
    ({"order_by": [["pageviews", "asc"]]}, "order_by[0][0]", "asks for"),
    ({"order_by": [["visitors", "down"]]}, "order_by[0][1]", "asc or desc"),
    ({"order_by": [["visitors", "asc"], ["visitors", "desc"]]}, "order_by[1][0]", "twice"),
    ({"include": []}, "include", "object"),
    ({"include": {"time_labels": 1}}, "include.time_labels", "true or false"),
    ({"include": {"time_labels": True}}, "include.time_labels", "time dimension"),
    ({"include": {"comparisons": {}}}, "include.comparisons", "not supported"),
    ({"include": {"totals": True}}, "include", "unknown key"),
    ({"pagination": 5}, "pagination", "object"),
    ({"pagination": {"limit": 0}}, "pagination.limit", "from 1 to 10000"),
    ({"pagination": {"limit": 10_001}}, "pagination.limit", "from 1 to 10000"),
    ({"pagination": {"limit": True}}, "pagination.limit", "whole number"),
    ({"pagination": {"limit": 5.0}}, "pagination.limit", "whole number"),
    ({"pagination": {"offset": -1}}, "pagination.offset", "from 0"),
    ({"date_range": "8d"}, "date_range", "unknown range"),
    ({"date_range": None}, "date_range", "expected one of"),
    ({"date_range": ["2026-01-01"]}, "date_range", "two"),
    ({"date_range": ["2026-01-01", 7]}, "date_range[1]", "ISO 8601"),
    ({"date_range": ["2026-01-01", "20260102"]}, "date_range[1]", "ISO 8601"),
    ({"date_range": ["2026-02-30", "2026-03-01"]}, "date_range[0]", "not in the calendar"),
    ({"date_range": ["1066-10-14", "2026-03-01"]}, "date_range[0]", "1990"),
    ({"date_range": ["2026-01-01", "2026-01-02T00:00:00Z"]}, "date_range", "one of each"),
    ({"metric": ["visitors"]}, "", "did you mean metrics?"),
]


@pytest.mark.parametrize(("change", "field", "problem"), BAD)
def test_what_can_not_be_used_is_named(change: dict, field: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_ask(GOOD | change)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 60_000,
        b"\xff",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"[]",
        b"null",
        b'"x"',
        b'{"site_id": 1e999}',
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse_body(body)


def test_a_body_over_its_limit_is_too_large() -> None:
    with pytest.raises(TooLarge):
        parse_body(b" " * 65_537)


@pytest.mark.parametrize("key", ["site_id", "metrics", "date_range"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_ask({name: value for name, value in GOOD.items() if name != key})
    assert caught.value.field == key


def test_filters_become_a_tree() -> None:
    tree = ["and", [["or", [["is", "event:page", ["/a", "/b"]]]], ["not", ["contains", "visit:os", ["x"], {}]]]]
    ask = parse_ask(GOOD | {"filters": [tree, ["is_not", "visit:city", ["Y"], {"case_sensitive": False}]]})
    assert ask.filters == (
        AllOf(
            (
                AnyOf((Comparison("is", "event:page", ("/a", "/b")),)),
                Not(Comparison("contains", "visit:os", ("x",))),
            )
        ),
        Comparison("is_not", "visit:city", ("Y",), False),
    )


def test_the_deepest_filter_allowed_is_taken() -> None:
    assert parse_ask(GOOD | {"filters": [nested(10)]}).filters


def test_a_body_is_read_whole() -> None:
    ask = parse_body(json.dumps(GOOD | {"site_id": "One.Example", "pagination": {"limit": 5, "offset": 10}}).encode())
    assert (ask.site_id, ask.limit, ask.offset) == ("one.example", 5, 10)


def test_order_is_by_the_first_metric_unless_asked() -> None:
    query = resolve(parse_ask(GOOD | {"metrics": ["events", "visitors"], "dimensions": ["visit:os"]}), SITE, NOW)
    assert query.order_by == (("events", "desc"),)


def test_order_is_by_time_first_in_a_series() -> None:
    query = resolve(parse_ask(GOOD | {"dimensions": ["visit:os", "time:day"]}), SITE, NOW)
    assert query.order_by == (("time:day", "asc"), ("visitors", "desc"))


def test_plain_time_takes_the_bucket_that_fits_the_range() -> None:
    def bucket(first: str, last: str) -> str:
        asked = {"date_range": [first, last], "dimensions": ["time"], "order_by": [["time", "desc"]]}
        query = resolve(parse_ask(GOOD | asked), SITE, NOW)
        assert query.order_by == ((query.dimensions[0], "desc"),)
        return query.dimensions[0]

    assert bucket("2026-01-01", "2026-01-02") == "time:hour"
    assert bucket("2026-01-01", "2026-02-09") == "time:day"
    assert bucket("2026-01-01", "2026-02-10") == "time:week"
    assert bucket("2025-01-01", "2026-02-10") == "time:month"


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadInput, match="ends before"):
        resolve(parse_ask(GOOD | {"date_range": ["2026-01-02", "2026-01-01"]}), SITE, NOW)


def test_a_range_of_many_years_is_refused() -> None:
    with pytest.raises(BadInput, match="longer than"):
        resolve(parse_ask(GOOD | {"date_range": ["2000-01-01", "2026-01-01"]}), SITE, NOW)


def test_more_labels_than_an_answer_may_carry_are_refused() -> None:
    asked = {"date_range": "year", "dimensions": ["time:minute"], "include": {"time_labels": True}}
    with pytest.raises(BadInput) as caught:
        resolve(parse_ask(GOOD | asked), SITE, NOW)
    assert caught.value.field == "include.time_labels"


def test_all_begins_with_the_first_event() -> None:
    ask = parse_ask(GOOD | {"date_range": "all"})
    assert ask.needs_first_day
    assert resolve(ask, SITE, NOW, date(2024, 2, 29)).range == Days(date(2024, 2, 29), date(2026, 6, 15))
    assert resolve(ask, SITE, NOW).range == Days(date(2026, 6, 15), date(2026, 6, 15))
