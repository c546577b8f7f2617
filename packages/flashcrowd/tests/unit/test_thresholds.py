"""Conditions are parsed strictly and judged on the figure they name."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_results import latency, run

from flashcrowd.errors import BadInput
from flashcrowd.report.thresholds import holds, met, parse, parse_promise
from flashcrowd.result import RunResult, StepResult


def result() -> RunResult:
    sign_in = StepResult("sign in", 100, 90, {"refused": 10}, replace(latency(90, 100.0), p95=1500.0))
    return replace(
        run(),
        requests=1000,
        good=985,  # five of them after the last user had come
        goodput_per_s=98.0,
        duration_s=10.0,
        errors={"refused": 15, "wrong": 5},
        latency_ms=replace(latency(980, 40.0), p95=400.0, p99=900.0, max=2000.0),
        steps=(sign_in,),
    )


@pytest.mark.parametrize(
    ("text", "measured", "is_true"),
    [
        ("p95>500ms", 400.0, False),
        ("p95 >= 0.4s", 400.0, True),
        ("p99>900ms", 900.0, False),
        ("max<3s", 2000.0, True),
        ("p50>40000us", 40.0, False),
        ("errors>1.9%", 0.02, True),
        ("refused>5%", 0.015, False),
        ("wrong>=.5%", 0.005, True),
        ("broken>0%", 0.0, False),
        ("goodput<100/s", 98.0, True),
        ("p95[sign in]>1s", 1500.0, True),
        ("refused[ sign in ]>5%", 0.1, True),
        ("goodput[sign in]<9/s", 9.0, False),
    ],
)
def test_a_condition_compares_the_figure_that_it_names(text: str, measured: float, is_true: bool) -> None:
    condition = parse(text)
    assert condition.measured(result()) == pytest.approx(measured)
    assert condition.is_true(result()) is is_true


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a condition such as p95>500ms"),
        ("p95", "expected a condition such as"),
        ("p95=500ms", "expected a condition such as"),
        ("p95>-1ms", "expected a condition such as"),
        ("p90>500ms", "'p90' in 'p90>500ms' is no figure of a run; expected one of p50, p95, p99, max, errors"),
        ("p95>500", "expected a time with its unit (us, ms, s or m) in 'p95>500', such as p95>500ms"),
        ("errors>0.1", "expected a percentage of the requests in 'errors>0.1', such as errors>0.1%"),
        ("goodput<100", "expected good answers a second in 'goodput<100', such as goodput<100/s"),
        ("p95[]>1s", "expected the name of a request between the brackets"),
    ],
)
def test_what_can_not_be_read_is_refused_with_what_was_expected(text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(text, "--fail-if")
    assert str(refused.value).startswith("--fail-if: ")
    assert told in str(refused.value)


def test_a_promise_is_all_of_its_conditions() -> None:
    assert holds(parse_promise("p95<=500ms,errors<=2%"), result())
    assert not holds(parse_promise("p95<=500ms,errors<=0.1%"), result())
    assert holds(parse_promise("goodput>=98/s, p95[sign in]<=1.5s"), result())


@pytest.mark.parametrize("text", ["p95>500ms", "goodput<=100/s", "p95<=500ms,errors>1%"])
def test_a_promise_that_is_worded_as_a_failure_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="a promise says what must hold"):
        parse_promise(text)


def test_a_comma_in_a_name_does_not_part_a_promise() -> None:
    (one,) = parse_promise("p95[look, think]<=1s")
    assert one.step == "look, think"


def test_a_condition_for_a_name_that_no_request_had_is_a_failure_that_says_so() -> None:
    condition = parse("p95[sgin in]>1s")
    assert met([condition], result()) == (condition,)
    assert condition.told(result()) == (
        "p95[sgin in]>1s: no request of the run was named 'sgin in'; there were 'sign in'"
    )


def test_where_nothing_was_right_no_promise_of_a_latency_holds() -> None:
    silent = replace(result(), good=0, latency_ms=latency(0, 0.0))
    assert parse("p95>500ms").measured(silent) == math.inf
    assert not holds(parse_promise("p95<=500ms"), silent)
    assert not holds(parse_promise("errors<=1%"), replace(silent, requests=0, errors={}))


def test_a_condition_is_told_with_its_figure_and_unit() -> None:
    assert parse("p95>300ms").told(result()) == "p95>300ms: p95 was 400 ms"
    assert parse("refused>1%").told(result()) == "refused>1%: refused was 1.5 %"
    assert parse("goodput<100/s").told(result()) == "goodput<100/s: goodput was 98/s"
