"""Plausible's event format: what is read, and how what is wrong is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.errors import BadInput, TooLarge
from turnout.ingest.decode import decode_plausible

GOOD: dict[str, object] = {"n": "pageview", "u": "https://example.org/a", "d": "example.org"}


def decode(**more: object) -> Any:
    return decode_plausible(json.dumps({**GOOD, **more}).encode())


def problem(body: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        decode_plausible(body)
    return caught.value


def test_long_and_short_keys_say_the_same() -> None:
    long = {
        "name": "buy",
        "url": "https://e.org/x",
        "domain": "E.org, f.org,e.org",
        "referrer": "https://r.org",
        "props": {"a": "1"},
        "revenue": {"currency": "eur", "amount": 1.5},
        "hashMode": 1,
        "interactive": False,
        "v": 3,
        "w": 1024,
    }
    short = {
        "n": "buy",
        "u": "https://e.org/x",
        "d": "e.org,f.org",
        "r": "https://r.org",
        "m": '{"a": "1"}',
        "$": {"currency": "EUR", "amount": "1.50"},
        "h": True,
        "i": False,
    }
    found = decode_plausible(json.dumps(long).encode())
    assert found == decode_plausible(json.dumps(short).encode())
    assert found.domains == ("e.org", "f.org")
    assert (found.revenue_amount, found.revenue_currency) == ("1.5000", "EUR")
    assert found.hash_mode
    assert not found.interactive


@pytest.mark.parametrize("key", ["props", "p", "meta", "m"])
def test_properties_come_as_an_object_or_as_a_text(key: str) -> None:
    props = {"text": "x", "number": 1.50, "yes": True, "none": None, "blank": ""}
    expected = {"text": "x", "number": "1.5", "yes": "true"}
    assert decode(**{key: props}).props == expected
    assert decode(**{key: json.dumps(props)}).props == expected


def test_a_number_keeps_its_own_digits() -> None:
    body = b'{"n":"a","u":"https://a/","d":"a","p":{"x":0.10},"$":{"currency":"EUR","amount":0.1}}'
    assert decode_plausible(body).props == {"x": "0.10"}
    assert decode_plausible(body).revenue_amount == "0.1000"


def test_engagement_keeps_depth_and_time_and_other_events_do_not() -> None:
    found = decode(n="engagement", sd=40, e=1234)
    assert (found.scroll_depth, found.engaged_ms) == (40, 1234)
    assert decode(n="engagement", sd=255, e=1).scroll_depth is None
    assert decode(sd=40, e=1234).engaged_ms is None


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"n": 1}, "name"),
        ({"n": ""}, "name"),
        ({"n": "  "}, "name"),
        ({"n": "x" * 121}, "name"),
        ({"n": "a\0b"}, "name"),
        ({"u": None}, "url"),
        ({"u": "https://e.org/" + "x" * 2000}, "url"),
        ({"d": ",,"}, "domain"),
        ({"d": "x" * 254}, "domain"),
        ({"d": ",".join(f"s{i}.org" for i in range(21))}, "domain"),
        ({"d": ["e.org"]}, "domain"),
        ({"r": "x" * 2001}, "referrer"),
        ({"r": {}}, "referrer"),
        ({"p": []}, "props"),
        ({"p": "not json"}, "props"),
        ({"p": "[1]"}, "props"),
        ({"p": {f"k{i}": i for i in range(10_000 // 3)}}, "props"),
        ({"p": {"k" * 301: 1}}, "props"),
        ({"p": {"": 1}}, "props"),
        ({"p": {"plan": {"a": 1}}}, "props.plan"),
        ({"p": {"plan": [1]}}, "props.plan"),
        ({"p": {"plan": "x" * 2001}}, "props.plan"),
        ({"p": {"plan": "a\0"}}, "props.plan"),
        ({"$": 5}, "revenue"),
        ({"$": {"currency": "EUR"}}, "revenue"),
        ({"$": {"currency": "EURO", "amount": 1}}, "revenue.currency"),
        ({"$": {"currency": "EUR", "amount": "much"}}, "revenue.amount"),
        ({"$": {"currency": "EUR", "amount": "NaN"}}, "revenue.amount"),
        ({"$": {"currency": "EUR", "amount": "Infinity"}}, "revenue.amount"),
        ({"$": {"currency": "EUR", "amount": 10**14}}, "revenue.amount"),
        ({"$": {"currency": "EUR", "amount": True}}, "revenue.amount"),
        ({"i": "no"}, "interactive"),
        ({"h": "x"}, "hashMode"),
        ({"n": "engagement", "sd": 101}, "sd"),
        ({"n": "engagement", "sd": "deep"}, "sd"),
        ({"n": "engagement", "e": -1}, "e"),
        ({"n": "engagement", "e": 10**12}, "e"),
    ],
)
def test_what_is_wrong_is_named(more: dict[str, object], field: str) -> None:
    assert problem(json.dumps({**GOOD, **more}).encode()).field == field


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"n":"\\ud800","u":"https://a/","d":"a"}',
        b'{"n":"a","u":"https://a/","d":"a","p":{"a":NaN}}',
        b"[" * 60_000,
        b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"n":"a","u":"https://a/","d":"a","p":' + b'{"a":' * 10_000,
    ],
)
def test_what_is_no_json_object_is_named_as_the_body(body: bytes) -> None:
    assert problem(body).field == "body"


def test_broken_utf8_in_a_field_is_named() -> None:
    assert problem(b'{"n":"a","u":"https://a/\xff","d":"a"}').field == "url"


def test_a_body_over_the_limit_is_too_large() -> None:
    assert isinstance(problem(b" " * 65_537), TooLarge)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from([*"nudrpm$hie", "sd", "props", "k"]), x, max_size=6)
        ),
    ).map(lambda x: json.dumps(x).encode())
)
def test_no_body_raises_anything_but_bad_input(body: bytes) -> None:
    try:
        decode_plausible(body)
    except BadInput:
        pass
