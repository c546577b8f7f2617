from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.errors import BadInput
from turnout.model.query import Comparison
from turnout.web.page.cards import CARDS, FILTER_DIMENSIONS, OPERATORS
from turnout.web.page.filter_form import take_typed_filter
from turnout.web.page.intervals import INTERVALS
from turnout.web.page.periods import PERIODS
from turnout.web.page.shifts import COMPARISONS
from turnout.web.page.state import METRICS, View, read_view, toggle_filters, write_view

VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
FILTERS = st.builds(
    Comparison,
    st.sampled_from(list(OPERATORS)),
    st.sampled_from([*FILTER_DIMENSIONS, "event:props:plan", "event:props:a,b\\c"]),
    st.lists(VALUES, min_size=1, max_size=3).map(tuple),
)
SPANS = st.one_of(
    st.builds(lambda period: {"period": period}, st.sampled_from(list(PERIODS))),
    st.tuples(*[st.dates(date(2000, 1, 1), date(2099, 12, 31))] * 2).map(
        lambda days: {"first": min(days), "last": max(days)}
    ),
)
TABS = st.tuples(*(st.sampled_from(card.tabs) for card in CARDS)).map(
    lambda tabs: tuple((card.id, tab.id) for card, tab in zip(CARDS, tabs, strict=True) if tab.id != card.default)
)
EVENTS = st.one_of(
    st.just({}),
    st.builds(lambda event: {"event": event}, VALUES),
    st.builds(lambda event, prop: {"event": event, "prop": prop}, VALUES, VALUES),
)
VIEWS = st.builds(
    lambda span, metric, filters, tabs, event, interval, compare: View(
        **span,
        **event,
        metric=metric,
        filters=tuple(dict.fromkeys(filters)),
        tabs=tabs,
        interval=interval,
        compare=compare,
    ),
    SPANS,
    st.sampled_from(list(METRICS)),
    st.lists(FILTERS, max_size=4),
    TABS,
    EVENTS,
    st.sampled_from(["", *INTERVALS]),
    st.sampled_from(list(COMPARISONS)),
)


def read(query: str) -> View:
    return read_view(parse_qsl(query.removeprefix("?"), keep_blank_values=True))


@settings(deadline=None)
@given(VIEWS)
def test_every_view_survives_its_address(view: View) -> None:
    assert read(write_view(view)) == view


def test_an_address_reads_as_documented() -> None:
    view = read("?period=7d&metric=visits&f=is,visit:country,DE,FR&f=contains,event:page,/docs&sources=channel")
    assert view == View(
        period="7d",
        metric="visits",
        filters=(
            Comparison("is", "visit:country", ("DE", "FR")),
            Comparison("contains", "event:page", ("/docs",)),
        ),
        tabs=(("sources", "channel"),),
    )
    assert write_view(view) == (
        "?period=7d&metric=visits&f=is,visit:country,DE,FR&f=contains,event:page,/docs&sources=channel"
    )


def test_a_comma_in_a_value_is_escaped() -> None:
    assert read(r"?f=is,event:page,/a\,b,c\\d").filters == (Comparison("is", "event:page", ("/a,b", "c\\d")),)


def test_unknown_parameters_are_ignored() -> None:
    assert read("?utm_source=mail&fbclid=x") == View()


@pytest.mark.parametrize(
    ("address", "field", "words"),
    [
        ("?period=fortnight", "period", "expected one of today, yesterday"),
        ("?metric=money", "metric", "expected one of visitors"),
        ("?metric=visits&metric=visits", "metric", "is given twice"),
        ("?sources=tabs", "sources", "expected one of source"),
        ("?interval=fortnight", "interval", "expected one of minute"),
        ("?compare=tomorrow", "compare", "expected one of previous, year"),
        ("?event=" + "x" * 301, "event", "at most 300 characters"),
        ("?from=2026-11-01", "to", "expected a date such as"),
        ("?from=yesterday&to=2026-11-01", "from", "expected a date such as"),
        ("?from=2026-11-02&to=2026-11-01", "from", "no later than 2026-11-01"),
        ("?from=0001-01-01&to=2026-11-01", "from", "a year from 2000 to 2099"),
        ("?f=", "f", "expected OPERATOR,DIMENSION,VALUE"),
        ("?f=is,visit:country", "f", "expected OPERATOR,DIMENSION,VALUE"),
        ("?f=like,visit:country,DE", "f", "the operator one of is, is_not"),
        ("?f=is,visit:shoe_size,42", "f", "'visit:shoe_size' can't be filtered by"),
        ("?f=is,event:props:,x", "f", "'event:props:' can't be filtered by"),
        ("?f=is,visit:country,", "f", "values of 1 to 2000 characters"),
        ("?" + "&".join(f"f=is,event:page,/{n}" for n in range(21)), "f", "at most 20 filters"),
    ],
)
def test_bad_state_names_its_parameter(address: str, field: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(address)
    assert caught.value.field == field
    assert words in caught.value.problem


def test_the_same_row_clicked_twice_changes_nothing() -> None:
    germany = Comparison("is", "visit:country", ("DE",))
    once = toggle_filters(View(), [germany])
    assert once.filters == (germany,)
    assert toggle_filters(once, [germany]) == View()


def test_a_row_of_two_values_adds_what_is_missing() -> None:
    chrome, version = (
        Comparison("is", "visit:browser", ("Chrome",)),
        Comparison("is", "visit:browser_version", ("140",)),
    )
    assert toggle_filters(View(filters=(chrome,)), [chrome, version]).filters == (chrome, version)


def test_a_property_without_its_event_is_dropped() -> None:
    assert read("?prop=plan") == View()


def typed(**fields: str) -> list[tuple[str, str]]:
    form = {"add_dimension": "visit:country", "add_operator": "is", "add_value": "Germany", **fields}
    return [("period", "7d"), ("f", "is,event:page,/"), *form.items()]


@pytest.mark.parametrize("country", ["DE", "de", "Germany", " germany "])
def test_a_country_is_typed_by_code_or_name(country: str) -> None:
    expected = [("period", "7d"), ("f", "is,event:page,/"), ("f", "is,visit:country,DE")]
    assert take_typed_filter(typed(add_value=country)) == expected


def test_several_values_make_one_filter_and_empty_fields_none() -> None:
    form = [*typed(), ("add_value", " "), ("add_value", "FR"), ("add_value", "DE")]
    assert take_typed_filter(form) == [("period", "7d"), ("f", "is,event:page,/"), ("f", "is,visit:country,DE,FR")]


def test_a_property_is_named_beside_its_choice() -> None:
    found = take_typed_filter(typed(add_dimension="event:props:", add_property=" plan ", add_value="pro"))
    assert found == [("period", "7d"), ("f", "is,event:page,/"), ("f", "is,event:props:plan,pro")]


def test_a_filter_is_changed_in_its_place_and_goes_without_values() -> None:
    form = [*typed(add_at="0"), ("f", "is,visit:os,macOS")]
    assert take_typed_filter(form) == [("period", "7d"), ("f", "is,visit:country,DE"), ("f", "is,visit:os,macOS")]
    assert take_typed_filter(typed(add_at="0", add_value="")) == [("period", "7d")]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"add_at": "1"}, "add_at"),
        ({"add_at": "-1"}, "add_at"),
        ({"add_at": "9" * 5000}, "add_at"),
        ({"add_value": " "}, "add_value"),
        ({"add_operator": "like"}, "add_operator"),
        ({"add_dimension": "event:props:"}, "add_property"),
    ],
)
def test_what_cannot_be_made_a_filter_names_its_field(fields: dict[str, str], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        take_typed_filter(typed(**fields))
    assert caught.value.field == field


def test_an_address_without_the_form_is_left_alone() -> None:
    assert take_typed_filter([("period", "7d")]) is None
