"""Five times the crowd: what is counted, what is conserved, one real run of Turnout, and the page."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flashcrowd.arrivals.constant import Constant
from lab.crowd import Asked, NoCrowd, Sent, coming, expected
from lab.five_times import __main__ as five_times
from lab.five_times import page, server
from lab.five_times.conservation import compare, settled
from lab.five_times.crowd import kind_of, path_of
from lab.five_times.outcomes import OUTCOMES, count
from lab.five_times.turnout import PEOPLE, Protections
from lab.launch_day.run import Plan
from lab.processes import free_port


def sent(name: str = "dashboard", outcome: str = "good", **changed: Any) -> Sent:
    """A request that was answered at once, changed."""
    return Sent(
        **({"intended_ms": 0.0, "late_ms": 0.0, "took_ms": 10.0, "status": 200} | changed), name=name, outcome=outcome
    )


def test_every_request_has_exactly_one_outcome() -> None:
    requests = [
        sent(),
        sent(took_ms=1_001.0),
        sent("event", took_ms=1_001.0, status=202),
        sent(outcome="wrong"),
        sent(outcome="wrong", status=500),
        sent("event", outcome="wrong"),
        sent(outcome="refused", status=503),
        sent(outcome="timed_out", status=0),
        sent(outcome="broken", status=0),
    ]
    found = count(requests)
    assert sum(found.values()) == len(requests)
    assert found == {"good": 2, "late": 1, "partial": 1, "refused": 1, "timed_out": 1, "wrong": 2, "broken": 1}


def test_an_outcome_that_nobody_knows_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="lost in the post"):
        count([sent(outcome="lost in the post")])


def test_events_are_compared_one_by_one() -> None:
    stored = {path_of(0): 1, path_of(2): 2, path_of(6): 1}
    found = compare([0, 2, 4], stored)
    assert (found.acknowledged, found.missing, found.doubled, found.unacknowledged) == (3, 1, 1, 1)
    assert not found.is_kept
    assert compare([0, 6], {path_of(0): 1, path_of(6): 1, path_of(8): 1}).is_kept


def test_the_store_may_take_a_moment_and_not_for_ever() -> None:
    answers: list[Mapping[str, int]] = [{}, {path_of(0): 1}]
    assert settled([0], lambda: answers.pop(0), wait_s=600).is_kept
    assert settled([0], dict, wait_s=0).missing == 1


def test_of_twenty_ten_are_visitors_nine_look_and_one_signs_in() -> None:
    assert Counter(kind_of(number) for number in range(20)) == {"event": 10, "dashboard": 9, "sign-in": 1}


@pytest.mark.parametrize(
    ("rate", "seconds"), [(1.0, 1.0), (3.7, 5.0), (0.3, 1.0), (47.1, 10.0), (49.0, 3.0), (0.1, 30.0)]
)
def test_as_many_are_expected_as_flashcrowd_sends(rate: float, seconds: float) -> None:
    assert expected(rate, seconds) == sum(1 for _ in Constant(rate, seconds).instants())


def test_a_crowd_that_finds_nobody_says_so(tmp_path: Path) -> None:
    asked = Asked(str(PEOPLE), f"http://127.0.0.1:{free_port()}", 1.0, rate_per_s=1.0)
    with pytest.raises(NoCrowd, match=r"127\.0\.0\.1"), coming(asked, tmp_path) as people:
        people.ends_at()


@pytest.fixture(scope="module")
def document() -> Any:
    """Figures in which nothing fell, nothing was lost, and nothing was void."""
    load: dict[str, Any] = dict.fromkeys(
        ("p50_ms", "p99_ms", "lost_updates", "timeouts", "refused", "errors", "wrong", "slow", "dropped"), 0
    )
    load |= {"offered_per_s": 10.0, "goodput_per_s": 9.5, "recovery_s": 0.2, "watched_s": 10.0, "good": 50, "sent": 50}
    load |= {"served_views": 45, "counted_views": 45, "lateness_ms": {"p99": 1.0}, "void": False, "void_reason": ""}
    accounted = {"planned": 50, "sent": 50, "unsent": 0, "holds": True}
    service_runs = [
        {"step": step, "title": f"title {step}", "round": 1, "load": {**load, "factor": factor}, "accounted": accounted}
        for step in ("0", "5")
        for factor in (1.0, 5.0)
    ]
    counts = {**dict.fromkeys(OUTCOMES, 0), "good": 50}
    events = {"acknowledged": 25, "missing": 0, "doubled": 0, "unacknowledged": 0, "holds": True}
    figures: dict[str, Any] = {
        "offered_per_s": 80.0,
        "goodput_per_s": 79.0,
        "p50_ms": 9,
        "p99_ms": 90,
        "lateness_p99_ms": 1.0,
    }
    figures |= {"recovery_s": None, "watched_s": 10.0, "void": False, "void_reason": "", "by_kind": {}}
    turnout_runs = [
        {"without": without, "factor": factor, "outcomes": counts, "accounted": accounted, "events": events, **figures}
        for factor in (1.0, 5.0)
        for without in (None, "locks", "pool", "gate", "sharing")
    ]
    made: dict[str, Any] = {"what": "lab.five_times", "machine": "m", "commit": "c", "seed": 1, "quick": True}
    made |= {"finished": "2026-11-24T00:00:00", "load_s": 5.0, "watch_s": 10.0}
    service = {
        "database": "PostgreSQL <18>",
        "first_fails_per_s": 10.0,
        "promise": "p",
        "tried": [],
        "runs": service_runs,
    }
    return {**made, "service": service, "turnout": {"peak_per_s": 80.0, "tried": [], "runs": turnout_runs}}


def changed(document: Any, part: str, number: int, **values: Any) -> Any:
    """The document with other values in one run."""
    runs = [dict(run) for run in document[part]["runs"]]
    runs[number] |= values
    return {**document, part: {**document[part], "runs": runs}}


def test_the_page_shows_both_claims_and_asks_for_nothing_from_outside(document: Any) -> None:
    drawn = page.draw(document)
    assert "PostgreSQL &lt;18&gt;" in drawn
    assert "step 5, title 5" in drawn
    for name, _ in page.WITHOUT.values():
        assert f">{name}<" in drawn
    assert not any(f'{attribute}="' in drawn for attribute in ("src", "href"))
    assert "say nothing about the service" not in drawn


def test_nothing_is_broken_or_void_where_all_went_well(document: Any) -> None:
    assert [*five_times.broken(document), *five_times.void(document)] == []


def test_what_is_lost_doubled_or_not_accounted_for_is_named(document: Any) -> None:
    events = {"acknowledged": 25, "missing": 1, "doubled": 2, "unacknowledged": 0, "holds": False}
    (told,) = five_times.broken(changed(document, "turnout", 3, events=events))
    assert told == "BROKEN: Turnout, without gate, at 1 x: 1 events missing, 2 doubled"
    accounted = {"planned": 50, "sent": 49, "unsent": 0, "holds": False}
    (told,) = five_times.broken(changed(document, "service", 3, accounted=accounted))
    assert told == "BROKEN: step 5 at 5 x: not every request is accounted for"


def test_updates_lost_by_the_mended_service_are_named_and_by_the_other_expected(document: Any) -> None:
    lost = {**document["service"]["runs"][3]["load"], "lost_updates": 3}
    (told,) = five_times.broken(changed(document, "service", 3, load=lost))
    assert told == "BROKEN: step 5 at 5 x: 3 views were answered and not counted"
    assert [*five_times.broken(changed(document, "service", 1, load=lost))] == []


def test_void_runs_are_told_before_anything_else(document: Any) -> None:
    void = changed(document, "turnout", 0, void=True, void_reason="the generator sent late by 300 ms")
    assert [*five_times.void(void)] == ["VOID: Turnout, whole, at 1 x: the generator sent late by 300 ms"]
    drawn = page.draw(void)
    assert drawn.index("the generator sent late by 300 ms") < drawn.index("<h1>")
    assert "1 of 14 runs is void" in drawn


def test_one_run_of_turnout_accounts_for_everybody_and_finds_every_event(tmp_path: Path) -> None:
    protections = Protections(tmp_path, 1, Plan(load_s=5.0, watch_s=30.0), 200, lambda _: None)
    key = server.fill(tmp_path / "template", 1, 200)
    run = protections._run(key, "gate", 1.0, 8.0, "run")
    assert run["accounted"]["holds"]
    assert run["accounted"]["planned"] == 40
    assert sum(run["outcomes"].values()) == run["accounted"]["sent"] > 0
    assert run["events"]["holds"]
    assert run["events"]["acknowledged"] > 0
    assert run["outcomes"]["wrong"] == 0
    assert run["outcomes"]["broken"] == 0
    assert "without its protection 'gate'" in (tmp_path / "run" / "server.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seed", "x"], "a whole number from 0"),
        (["--json", "/no/such/place/out.json"], "there is no directory /no/such/place"),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_started(arguments: list[str], told: str) -> None:
    command = [sys.executable, "-m", "lab.five_times", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2])
    assert ran.returncode == 2
    assert told in ran.stderr
    assert "filling" not in ran.stderr
