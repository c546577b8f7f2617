"""The end of a run in the terminal: the verdict first, then figures with units."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

from made_results import limit, run
from rich.console import Console

from flashcrowd.report.summary import show_comparison, show_limit, show_run
from flashcrowd.report.thresholds import parse


def text(show: Callable[[Console], None]) -> str:
    out = io.StringIO()
    show(Console(file=out, width=160, highlight=False))
    return out.getvalue()


def test_the_verdict_is_the_first_line() -> None:
    assert text(lambda out: show_run(run(260), out)).startswith("The connection pool db is the bottleneck. Waiting")
    assert text(lambda out: show_run(run(void_reason="late"), out)).startswith("Void: late.")
    assert "or from a machine that does nothing else" in text(lambda out: show_run(run(void_reason="late"), out))
    assert text(lambda out: show_limit(limit(), out)).startswith(
        "The promise holds up to 160/s: the connection pool db is the bottleneck."
    )


def test_a_run_is_told_with_its_evidence_outcomes_and_requests() -> None:
    told = text(lambda out: show_run(run(260), out))
    for part in ("confidence 93 %", "By Little's law", "of 260/s asked for", "from when users meant to send", "sign in",
                 "by the generator itself", " refused, ", " timed out"):  # fmt: skip
        assert part in told


def test_why_answers_were_not_right_is_told_most_frequent_first() -> None:
    told = text(lambda out: show_run(replace(run(260), reasons={"status [500]": 1200, "no bread": 3}), out))
    assert told.index("1,200 × status [500]") < told.index("3 × no bread")
    assert "users came" in told


def test_names_of_requests_are_shown_as_they_are() -> None:
    odd = replace(run(), steps=(replace(run().steps[0], name="GET /[bold]/{id}"),))
    assert "GET /[bold]/{id}" in text(lambda out: show_run(odd, out))


def test_conditions_are_told_as_passed_or_failed_with_their_figures() -> None:
    told = text(lambda out: show_run(run(260), out, fail_if=[parse("p95>1ms"), parse("errors>90%")]))
    assert "FAILED  p95>1ms: p95 was " in told
    assert "passed  errors>90%: errors was " in told
    assert "1 condition of 2 came true: exit status 1." in told


def test_a_limit_lists_its_loads_by_load_and_marks_those_that_held() -> None:
    lines = text(lambda out: show_limit(limit(), out)).splitlines()
    loads = [line.split()[0] for line in lines if line.strip().startswith(("40/s", "80/s", "1", "2")) and "/s" in line]
    assert loads == ["40/s", "80/s", "120/s", "160/s", "200/s", "240/s"]
    assert [("held" in line) for line in lines if "/s" in line and " ms" in line and "·" not in line][:4] == [True] * 4


def test_a_comparison_warns_first_and_then_judges() -> None:
    other = replace(run(seed=2, capacity_per_s=100), target="http://elsewhere")
    told = text(lambda out: show_comparison(run(seed=1), other, ("a.json", "b.json"), out))
    assert told.startswith("! The targets differ")
    (p95,) = (line for line in told.splitlines() if line.strip().startswith("p95"))
    assert "times" in p95
    assert p95.rstrip().endswith("worse")
