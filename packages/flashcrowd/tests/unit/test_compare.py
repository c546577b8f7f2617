"""Differences are told from chance by the seconds' own spread, and what can't be compared is said."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from made_results import run

from flashcrowd.report.compare import differences, interval, warnings
from flashcrowd.result import RunResult


def verdicts(before: RunResult, after: RunResult) -> dict[str, str]:
    return {one.measure.name: one.verdict for one in differences(before, after)}


def slower(result: RunResult, factor: float) -> RunResult:
    seconds = tuple(
        replace(second, latency_ms=replace(second.latency_ms, p95=second.latency_ms.p95 * factor))
        for second in result.seconds
    )
    return replace(
        result, seconds=seconds, latency_ms=replace(result.latency_ms, p95=result.latency_ms.p95 * factor), seed=2
    )


def test_runs_of_one_service_differ_within_chance() -> None:
    assert set(verdicts(run(seed=1), run(seed=2)).values()) == {"within chance"}


def test_a_tail_that_is_longer_by_more_than_the_spread_is_worse_and_only_it() -> None:
    found = verdicts(run(seed=1), slower(run(seed=2), 1.5))
    assert found.pop("p95") == "worse"
    assert set(found.values()) == {"within chance"}
    assert verdicts(slower(run(seed=2), 1.5), run(seed=1))["p95"] == "better"


def test_a_service_with_less_capacity_gives_less_and_refuses_more() -> None:
    found = verdicts(run(260, capacity_per_s=240), run(260, capacity_per_s=150))
    assert found["goodput"] == "worse"
    assert found["refused"] == "worse"


def test_a_line_that_grows_all_the_time_does_not_hide_a_difference() -> None:
    def growing(each_ms: float, seed: int) -> RunResult:
        random, result = Random(seed), run(duration_s=20)
        seconds = tuple(
            replace(second, latency_ms=replace(second.latency_ms, p95=(n + 1) * each_ms * random.uniform(0.8, 1.25)))
            for n, second in enumerate(result.seconds)
        )
        return replace(result, seconds=seconds)

    assert verdicts(growing(100, 1), growing(60, 2))["p95"] == "better"
    assert verdicts(growing(100, 1), growing(100, 2))["p95"] == "within chance"


def test_what_comes_after_the_last_user_is_not_compared() -> None:
    def with_rest(result: RunResult, good: int) -> RunResult:
        rest = tuple(replace(result.seconds[-1], at_s=10.0 + n, good=good) for n in range(30))
        return replace(result, seconds=(*result.seconds, *rest))

    before, after = run(duration_s=10), run(duration_s=10, seed=2)
    assert verdicts(with_rest(before, 0), with_rest(after, 500))["goodput"] == "within chance"


def test_nothing_is_judged_where_the_arrivals_differ_or_a_run_is_void() -> None:
    assert set(verdicts(run(100), run(200)).values()) == {"not known"}
    assert set(verdicts(run(), run(void_reason="late")).values()) == {"not known"}
    assert set(verdicts(run(duration_s=4), run(duration_s=4, seed=2)).values()) == {"not known"}


def test_what_differs_beside_the_figures_is_warned_of() -> None:
    other = replace(run(200), target="http://elsewhere", machine="64 cores", users="other.py", seed=9)
    told = "\n".join(warnings(run(), other))
    for what in ("arrivals", "targets", "machines", "users"):
        assert f"The {what} differ" in told
    assert "no difference is judged" in told
    assert list(warnings(run(), run())) == []
    assert "The second run is void: late" in next(iter(warnings(run(), run(void_reason="late"))))
    assert "The seeds differ" in next(iter(warnings(run(), run(seed=2))))


def test_seconds_that_remember_their_neighbours_raise_few_false_alarms() -> None:
    random, alarms, runs = Random(7), 0, 400
    for _ in range(runs):
        series, value = [], 0.0
        for _ in range(60):
            value = 0.5 * value + random.gauss(0, 1)
            series.append(value)
        low, high = interval(series) or (0, 0)
        alarms += not low <= 0 <= high
    assert alarms <= 0.04 * runs
    # The same without batches would cry wolf in about a tenth: the memory is there, and batches are what deals with it.
