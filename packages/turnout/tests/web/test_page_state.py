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
from turnout.web.page.periods import PERIODS
from turnout.web.page.state import METRICS, View, read_view, toggle_filter, write_view

VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
FILTERS = st.builds(
    Comparison,
    st.sampled_from(list(OPERATORS)),
    st.sampled_from([*FILTER_DIMENSIONS, "event:props:plan"]),
    st.lists(VALUES, min_size=1, max_size=3).map(tuple),
)
SPANS = st.one_of(
    st.builds(lambda period: {"period": period}, st.sampled_from(list(PERIODS))),
    st.tuples(*[st.dates(date(2000, 1, 1), date(2099, 12, 31))] * 2).map(
        lambda days: {"first": min(days), "last": max(days)}
    ),
)
TABS = st.tuples(*(st.sampled_from(card.tabs) for card in CARDS)).map(
    lambda tabs: tuple((card.id, tab.id) for card, tab in zip(CARDS, tabs, strict=True) if tab != card.tabs[0])
)
VIEWS = st.builds(
    lambda span, metric, filters, tabs, at_length: View(
        **span, metric=metric, filters=tuple(dict.fromkeys(filters)), tabs=tabs, all=at_length
    ),
    SPANS,
    st.sampled_from(list(METRICS)),
    st.lists(FILTERS, max_size=4),
    TABS,
    st.sampled_from(["", *(card.id for card in CARDS)]),
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
        ("?all=everything", "all", "expected one of sources"),
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
    once = toggle_filter(View(), "visit:country", "DE")
    assert once.filters == (Comparison("is", "visit:country", ("DE",)),)
    assert toggle_filter(once, "visit:country", "DE") == View()


@pytest.mark.parametrize("typed", ["DE", "de", "Germany", " germany "])
def test_a_country_is_typed_by_code_or_name(typed: str) -> None:
    form = [("period", "7d"), ("add_dimension", "visit:country"), ("add_operator", "is"), ("add_value", typed)]
    assert take_typed_filter(form) == [("period", "7d"), ("f", "is,visit:country,DE")]


def test_an_address_without_the_form_is_left_alone() -> None:
    assert take_typed_filter([("period", "7d")]) is None
