"""Axes hold their values with round ticks, and a chart puts words where its lines are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashcrowd.report.chart import Mark, Series, chart, linear, logarithmic, spanning

VALUES = st.lists(st.floats(0, 1e9), max_size=20)


@given(VALUES)
def test_a_linear_axis_holds_all_its_values_between_a_few_rising_ticks(values: list[float]) -> None:
    axis = linear(values, str)
    assert axis.low <= min(values, default=0)
    assert axis.high >= max(values, default=0) * (1 - 1e-9) - 1e-6
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert 2 <= len(axis.ticks) <= 7


@given(st.lists(st.floats(0.001, 1e9), max_size=20))
def test_a_logarithmic_axis_holds_all_its_values(values: list[float]) -> None:
    axis = logarithmic(values, str)
    assert axis.low <= min(values, default=1.0) * (1 + 1e-6)
    assert axis.high >= max(values, default=1.0) * (1 - 1e-6)
    assert len(axis.ticks) >= 2


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6))
def test_an_axis_that_spans_has_its_ticks_within(low: float, length: float) -> None:
    axis = spanning(low, low + length, str)
    assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in axis.ticks)
    assert len(axis.ticks) <= 7


def test_shares_of_an_axis_run_from_its_low_to_its_high_end() -> None:
    assert [linear([100.0], str).share(value) for value in (0, 25, 100, 300)] == [0, 0.25, 1, 1]
    log = logarithmic([1, 1000], str)
    assert [log.share(value) for value in (0, 1, 10, 1000)] == pytest.approx([0, 0, 1 / 3, 1])


def test_values_are_drawn_where_the_axes_say() -> None:
    axis = linear([100.0], str)
    drawn = chart("A line", axis, axis, [Series("a", "p50", [(0, 0), (50, 100)])])
    assert '<path class="line p50" d="M0.0 1000.0L500.0 0.0"/>' in drawn


def test_words_of_a_chart_are_escaped() -> None:
    axis = linear([1.0], lambda value: "<b>")
    drawn = chart("<b>", axis, axis, [Series("", "p50", [(0, 0)], "dots", titles=["<b>"])], marks=[Mark(1, "<b>", "x")])
    assert "<b>" not in drawn
    assert len(re.findall("&lt;b&gt;", drawn)) >= 4


def test_an_area_without_points_is_not_drawn() -> None:
    axis = linear([1.0], str)
    assert "fill" not in chart("Nothing", axis, axis, [Series("a", "p50", [], "area")])
