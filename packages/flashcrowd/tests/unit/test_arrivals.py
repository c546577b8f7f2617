from __future__ import annotations

from pathlib import Path

import pytest

from flashcrowd.arrivals.closed import Closed
from flashcrowd.arrivals.constant import Constant
from flashcrowd.arrivals.parse import FORMS, KINDS, duration, parse, rate
from flashcrowd.arrivals.ramp import Ramp
from flashcrowd.arrivals.replay import Replay
from flashcrowd.arrivals.spike import Spike
from flashcrowd.arrivals.step import Steps
from flashcrowd.errors import BadInput


def test_a_constant_rate_has_equal_gaps_and_begins_at_once() -> None:
    assert list(Constant(4, 1).instants()) == [0, 0.25, 0.5, 0.75]


def test_a_million_gaps_do_not_drift() -> None:
    assert list(Constant(1000, 1000).instants())[-1] == 999.999


def test_a_ramp_has_as_many_users_as_the_area_under_it() -> None:
    instants = list(Ramp(0, 100, 10).instants())
    assert len(instants) == 500
    assert sum(1 for at in instants if at < 5) == 125


def test_a_ramp_goes_down_too() -> None:
    instants = list(Ramp(100, 0, 10).instants())
    assert sum(1 for at in instants if at < 5) == 375
    assert len(instants) == 500


def test_steps_have_each_rate_for_its_part_of_the_time() -> None:
    instants = list(Steps((10, 0, 20), 3).instants())
    assert [sum(1 for at in instants if second <= at < second + 1) for second in range(3)] == [10, 0, 20]


def test_a_spike_is_where_it_was_put() -> None:
    instants = list(Spike(10, 100, 2, 1, 5).instants())
    assert [sum(1 for at in instants if second <= at < second + 1) for second in range(5)] == [10, 10, 100, 10, 10]


def test_half_a_user_of_one_piece_is_made_whole_by_the_next() -> None:
    assert len(list(Steps((0.5, 0.5, 0.5, 0.5), 4).instants())) == 2


def test_replay_counts_from_the_first_instant_whatever_their_order(tmp_path: Path) -> None:
    file = tmp_path / "came.txt"
    file.write_text("12.5  # late\n\n10\n11\n")
    assert list(parse(f"replay:{file}", None).instants()) == [0, 1, 2.5]  # type: ignore[union-attr]
    assert list(parse(f"replay:{file}", 2.0).instants()) == [0, 1]  # type: ignore[union-attr]


def test_replay_reads_dates(tmp_path: Path) -> None:
    file = tmp_path / "came.txt"
    file.write_text("2026-11-24T10:00:00Z\n2026-11-24T10:00:00.250Z\n")
    found = parse(f"replay:{file}", None)
    assert isinstance(found, Replay)
    assert found.times_s == (0.0, pytest.approx(0.25))


def test_a_line_that_is_no_instant_is_named(tmp_path: Path) -> None:
    file = tmp_path / "came.txt"
    file.write_text("1\nsoon\n")
    with pytest.raises(BadInput, match=r"line 2.*expected seconds or ISO 8601"):
        parse(f"replay:{file}", None)


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "nan", "inf"])
def test_a_file_without_instants_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "came.txt"
    file.write_text(text)
    with pytest.raises(BadInput):
        parse(f"replay:{file}", None)


def test_every_model_says_its_name_and_whether_it_is_open(tmp_path: Path) -> None:
    (tmp_path / "came.txt").write_text("0\n")
    forms = {
        "constant": "constant:200/s",
        "ramp": "ramp:10/s..200/s",
        "step": "step:50/s,100/s",
        "spike": "spike:20/s,200/s@10s+5s",
        "replay": f"replay:{tmp_path / 'came.txt'}",
    }
    assert {*forms, "closed"} == set(KINDS)
    for name, form in forms.items():
        assert str(parse(form, 30)).startswith(f"open, {name}, ")
    assert str(parse("closed:300", 30)) == "closed, 300 users for 30 s"


def test_every_form_of_the_help_can_be_read() -> None:
    for form in FORMS.replace("(20/s, but 200/s from 10 s on for 5 s)", "").split(" | "):
        if not form.startswith("replay"):
            parse(form.strip(), 30)


def test_without_a_duration_it_is_half_a_minute() -> None:
    assert parse("constant:5/s", None) == Constant(5, 30)
    assert parse("closed:5", None) == Closed(5, 30)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("2m", 120), ("500ms", 0.5), ("1h", 3600), ("7", 7)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration(text, "--for") == seconds


@pytest.mark.parametrize(("text", "per_s"), [("200/s", 200), ("30/m", 0.5), ("3600/h", 1), ("2.5", 2.5)])
def test_rates_are_read(text: str, per_s: float) -> None:
    assert rate(text, "--rate") == per_s


@pytest.mark.parametrize("text", ["", "0s", "soon", "-1s", "1d", "1e9h", "nan", "99999999h"])
def test_what_is_no_duration_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(BadInput, match="--for: expected a duration"):
        duration(text, "--for")


@pytest.mark.parametrize("text", ["", "0", "-1/s", "fast", "1/d", "inf", "1e9", "99999999999/s"])
def test_what_is_no_rate_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(BadInput, match="--rate: expected a rate"):
        rate(text, "--rate")


@pytest.mark.parametrize(
    "text",
    [
        "constant", "constant:", "sometimes:5/s", "ramp:5/s", "ramp:5/s..5/s", "step:", "step:0/s", "spike:5/s", "closed:0",
        "closed:many", "closed:-1", "spike:5/s,50/s@20s+20s", "spike:5/s,50/s@1s", "replay:/nowhere", "ramp:0..0",
    ],
)  # fmt: skip
def test_what_are_no_arrivals_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(BadInput, match=r"expected|ends at"):
        parse(text, 30)
