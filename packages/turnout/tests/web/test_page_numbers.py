from __future__ import annotations

import pytest

from turnout.web.page.numbers import duration, metric_text, percent, short_count


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0"),
        (9_911, "9,911"),
        (10_000, "10.0 k"),
        (41_230, "41.2 k"),
        (99_949, "99.9 k"),
        (99_950, "100 k"),
        (412_345, "412 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (1_312_000, "1.31 M"),
        (12_340_000, "12.3 M"),
        (999_600_000, "1.00 G"),
    ],
)
def test_counts_are_short_and_never_read_1000_k(count: int, words: str) -> None:
    assert short_count(count).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 m 0 s"), (161, "2 m 41 s"), (3_900, "1 h 5 m")]
)
def test_durations_read_as_people_say_them(seconds: int, words: str) -> None:
    assert duration(seconds).replace("\u00a0", " ") == words


def test_small_shares_keep_a_decimal() -> None:
    assert [percent(value).replace("\u00a0", " ") for value in (0, 0.4, 1.4, 36.0)] == ["0 %", "0.4 %", "1 %", "36 %"]


def test_views_per_visit_keeps_two_decimals() -> None:
    assert metric_text("views_per_visit", 2.4) == "2.40"
