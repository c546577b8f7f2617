"""Figures keep few digits and always have a unit."""

from __future__ import annotations

import math

import pytest

from flashcrowd.report import figures


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0 ms"), (0.42, "0.42 ms"), (8.44, "8.4 ms"), (87.0, "87 ms"), (999.4, "999 ms"), (1240.0, "1.24 s"),
     (12_340.0, "12.3 s"), (125_000.0, "2 min 5 s"), (math.inf, "no answer")],
)  # fmt: skip
def test_milliseconds_are_shown_in_the_unit_that_fits(value: float, shown: str) -> None:
    assert figures.milliseconds(value) == shown


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (0.0, "0 %"),
        (0.00001, "< 0.01 %"),
        (0.0004, "0.04 %"),
        (0.015, "1.5 %"),
        (0.5, "50 %"),
        (0.985, "98.5 %"),
        (0.99991, "> 99.9 %"),
        (1.0, "100 %"),
        (math.inf, "–"),
    ],
)
def test_a_share_that_is_not_nothing_is_never_shown_as_nothing(part: float, shown: str) -> None:
    assert figures.share(part) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.5, "0.5 s"), (12.0, "12 s"), (125.0, "2 min 5 s"), (120.0, "2 min"), (3840.0, "1 h 4 min")],
)
def test_a_length_of_time_is_shown_in_two_units_at_most(seconds: float, shown: str) -> None:
    assert figures.clock(seconds) == shown


def test_rates_and_counts_have_their_words() -> None:
    assert figures.rate(12400) == "12,400/s"
    assert figures.rate(8.44) == "8.4/s"
    assert figures.count(1, "answer") == "1 answer"
    assert figures.count(2, "reply", "replies") == "2 replies"
