from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashcrowd.engine.histogram import Histogram

durations = st.lists(st.floats(0, 3600), min_size=1, max_size=300)


@given(durations, st.floats(0.001, 1))
def test_a_percentile_is_the_ranked_value_to_a_thousandth(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(1, ceil(share * len(values))) - 1]
    assert histogram.percentiles_s(share)[0] == pytest.approx(exact, rel=0.001, abs=2e-6)
    assert histogram.max_s == max(values)


@given(durations, durations)
def test_two_that_are_merged_are_one_that_counted_all(first: list[float], second: list[float]) -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for value in first:
        one.add(value)
        both.add(value)
    for value in second:
        other.add(value)
        both.add(value)
    one.merge(other)
    assert one.latency() == both.latency()


def test_of_nothing_all_is_nothing() -> None:
    assert Histogram().latency().p99 == 0
    assert Histogram().latency().count == 0


def test_a_clock_that_went_back_counts_as_nothing() -> None:
    histogram = Histogram()
    histogram.add(-0.5)
    assert histogram.percentiles_s(0.5) == [0]
