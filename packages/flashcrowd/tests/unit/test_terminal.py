"""The view of a run that goes on, in a terminal and in a log."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

from made_results import run
from rich.console import Console

from flashcrowd.report.terminal import Watched, sparkline
from flashcrowd.result import RunResult, Second
from flashcrowd.samples import Reading


@dataclass(frozen=True)
class At:
    at_s: float
    duration_s: float
    users: int
    requests: int
    errors: Mapping[str, int]
    last: Second | None
    reading: Reading | None


def moments(result: RunResult) -> list[At]:
    """Four a second, as the engine tells them."""
    told = [At(0.1, result.duration_s, 1, 0, {}, None, None)]
    for second, reading in zip(result.seconds, result.readings, strict=True):
        for quarter in range(4):
            at_s = second.at_s + 1 + quarter / 4
            told.append(At(at_s, result.duration_s, second.users, 10, dict(second.errors), second, reading))
    return told


def shown(result: RunResult, *, is_terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=is_terminal, width=200, color_system=None)
    with Watched("visitors.py", result.arrivals, console=console) as watched:
        for moment in moments(result):
            watched.show(moment)
    return out.getvalue()


def test_in_a_log_each_second_of_a_short_run_is_one_line_with_its_figures() -> None:
    result = run(260)
    title, arrivals, *lines = shown(result, is_terminal=False).splitlines()
    assert (title, arrivals) == ("visitors.py", "open, constant, 260/s for 30 s")
    assert len(lines) == 30
    last = result.seconds[-1]
    for told in ("30 s", f"arrived {last.arrived}/s", f"good {last.good}/s", "p95 ", f"users {last.users}"):
        assert told in lines[-1]
    assert "filling: connection pool db: 10 of 10 in use" in lines[-1]


def test_a_long_run_does_not_flood_a_log() -> None:
    assert 25 <= len(shown(run(duration_s=300), is_terminal=False).splitlines()) <= 40


def test_in_a_log_there_are_no_control_characters() -> None:
    assert "\x1b" not in shown(run(260), is_terminal=False)


def test_in_a_terminal_the_view_has_progress_figures_and_what_is_filling() -> None:
    text = shown(run(260), is_terminal=True)
    for told in ("15 s of 30 s, 15 s left", "waiting for those under way", "users under way", "refused", "timed out",
                 "filling    connection pool db: 10 of 10 in use"):  # fmt: skip
        assert told in text


def test_a_view_is_drawn_once_a_second_and_not_as_often_as_it_is_told() -> None:
    assert shown(run(120, duration_s=5), is_terminal=True).count("users under way") <= 5 + 1  # and once as it closes


def test_a_target_that_tells_nothing_leaves_no_gap() -> None:
    silent = replace(run(120, duration_s=5), readings=(Reading(0.0),) * 5)
    assert "filling" not in shown(silent, is_terminal=True)


def test_a_second_run_of_a_search_begins_anew() -> None:
    out = io.StringIO()
    with Watched("visitors.py", "10/s", console=Console(file=out, width=200)) as watched:
        for moment in moments(run(duration_s=3)):
            watched.show(moment)
        watched.begin("20/s")
        for moment in moments(run(duration_s=3, seed=2)):
            watched.show(moment)
    assert len(out.getvalue().splitlines()) == 2 + 3 + 1 + 3


def test_a_small_curve_of_nothing_is_flat() -> None:
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
