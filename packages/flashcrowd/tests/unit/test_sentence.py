"""The one sentence that a result comes to."""

from __future__ import annotations

from dataclasses import replace

from made_results import POOL, limit, run

from flashcrowd.report.sentence import outcomes, verdict


def test_a_verdict_names_the_resource_its_part_of_the_tail_and_the_gain() -> None:
    assert verdict(run()) == (
        "The connection pool db is the bottleneck. Waiting there explains 82 % of p95. "
        "Twice of it would give about 60 % more."
    )


def test_a_verdict_claims_no_more_than_is_known() -> None:
    bare = replace(POOL, of_p95=None, predicted_gain=None)
    assert verdict(run(verdict=bare)) == "The connection pool db is the bottleneck."
    assert "hardly more" in verdict(run(verdict=replace(bare, predicted_gain=1.0)))
    assert (
        verdict(run(verdict=replace(bare, resource="event loop", kind="event loop")))
        == "The event loop is the bottleneck."
    )
    assert verdict(run(verdict=replace(bare, resource="cpu", kind="cpu"))) == "The processor is the bottleneck."


def test_a_void_run_says_so_before_anything_else() -> None:
    assert verdict(run(void_reason="sending was 24 ms late")).startswith("Void: sending was 24 ms late.")


def test_without_a_verdict_it_says_whether_the_target_kept_up() -> None:
    assert verdict(run(60, verdict=None)).startswith("http://127.0.0.1:8000 kept up")
    assert "not known" in verdict(run(400, verdict=None))
    late = replace(run(60, verdict=None), offered_per_s=90.0)
    assert verdict(late).startswith("http://127.0.0.1:8000 did not keep up: ")
    assert verdict(replace(late, offered_per_s=None)).startswith("Every answer was right, p95 ")
    assert "nothing to say" in verdict(replace(run(verdict=None), requests=0, good=0))


def test_a_limit_says_how_far_the_promise_holds() -> None:
    assert verdict(limit()).startswith("The promise holds up to 160/s: the connection pool db is the bottleneck.")
    assert "At no load that was tried did the promise hold" in verdict(replace(limit(), holds_per_s=None))
    assert verdict(limit(verdict=None)).endswith("What limits the target is not known.")
    void = tuple(replace(one, void=True, void_reason="late") for one in limit().runs)
    assert verdict(replace(limit(), runs=void)).startswith("Void: late.")


def test_outcomes_are_shares_of_all_requests() -> None:
    told = outcomes(replace(run(), requests=1000, good=985, errors={"refused": 10, "timed_out": 5}))
    assert told == "1,000 requests: 98.5 % right, 1 % refused, 0.5 % timed out"
