from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.model.countries import NAMES
from turnout.web.assets import STATIC
from turnout.web.page.map import STEPS, MapValue, draw_map, scale_of
from turnout.web.templating import make_environment

MACRO = '{% from "_map.html" import world_map %}{{ world_map(map) }}'
COUNTS = st.lists(st.integers(1, 10**9), min_size=1, max_size=60)


def row(code: str, visitors: int) -> MapValue:
    return MapValue(code, NAMES.get(code, code), visitors, "5 %", f"?f=is,visit:country,{code}")


def test_countries_come_by_visitors_with_small_ones_on_top_as_dots() -> None:
    drawn = draw_map([row("SG", 900), row("FR", 5), row("DE", 70)])
    assert [shape.code for shape in drawn.shapes] == ["DE", "FR", "SG"]
    assert drawn.shapes[0].title == "Germany: 70 visitors, 5 %"
    assert drawn.shapes[0].href == "?f=is,visit:country,DE"


def test_whoever_is_not_on_the_map_is_counted_below_it() -> None:
    drawn = draw_map([row("DE", 1), row("AQ", 2), row("", 3), row("(not set)", 4), row("FR", 0)])
    assert [shape.code for shape in drawn.shapes] == ["DE"]
    assert drawn.shapes[0].title == "Germany: 1 visitor, 5 %"
    assert drawn.unplaced == "9 visitors of countries not known or not on the map"


def test_a_map_of_nobody_has_no_scale() -> None:
    drawn = draw_map([])
    assert (drawn.shapes, drawn.scale, drawn.unplaced) == ((), (), "")


@pytest.mark.parametrize(
    ("visitors", "labels"),
    [
        ([1], ["1 or more"]),
        ([1, 7], ["1", "2–4", "5 or more"]),
        ([1, 12_345], ["1–4", "5–49", "50–199", "200–1,999", "2,000–9,999", "10,000 or more"]),
    ],
)
def test_the_legend_has_round_steps(visitors: list[int], labels: list[str]) -> None:
    drawn = draw_map([row(code, count) for code, count in zip(("DE", "FR"), visitors, strict=False)])
    assert [line.label for line in drawn.scale] == labels


@given(COUNTS)
def test_every_count_has_a_step_and_more_visitors_never_a_lower_one(visitors: list[int]) -> None:
    lowest = scale_of(visitors)
    assert 1 <= len(lowest) <= STEPS
    assert lowest == sorted(set(lowest))
    assert lowest[0] <= min(visitors)
    assert lowest[-1] <= max(visitors)


def test_a_page_holds_no_outline_and_no_style() -> None:
    drawn = draw_map([row(code, 5) for code in NAMES])
    html = make_environment().from_string(MACRO).render(map=drawn)
    assert html.count("<a ") == len(drawn.shapes) > 230
    assert len(html) < 60_000
    assert " d=" not in html
    assert "style=" not in html


def test_the_outlines_are_small_and_their_codes_are_countries() -> None:
    drawn = (STATIC / "world.svg").read_bytes()
    assert len(drawn) <= 60 * 1024
    codes = re.findall(r' id="([A-Z]{2})"', drawn.decode())
    assert len(codes) == len(set(codes)) > 230
    assert set(codes) <= NAMES.keys()
