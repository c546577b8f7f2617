"""The arithmetic of the lab: what one run's requests add up to."""

from __future__ import annotations

import json

from lab.launch_day.requests import Request, parse, percentile, tally, void_reason


def request(n: int = 0, **changed: object) -> Request:
    """A good dashboard, changed."""
    fields = {"n": n, "kind": "dashboard", "intended": 0.0, "late": 0.0, "took": 100.0, "status": 200}
    return Request(**(fields | {"right": True, "timed_out": False} | changed))  # type: ignore[arg-type]


def test_an_answer_is_good_when_it_is_right_and_in_time_for_its_kind() -> None:
    assert request(took=1000).is_good
    assert not request(took=1001).is_good
    assert not request(right=False).is_good
    assert request(kind="sign-in", took=5000).is_good
    assert not request(kind="sign-in", took=5001).is_good


def test_every_request_is_counted_once() -> None:
    requests = [
        request(),
        request(took=3000),
        request(status=503, right=False),
        request(status=429, right=False),  # one who asks for more than their part
        request(status=0, right=False, timed_out=True, took=5001),
        request(status=0, right=False),
        request(status=500, right=False),
        request(status=401, right=False),
        request(right=False),
    ]
    result = tally(requests)
    assert (result.good, result.slow, result.refused, result.timeouts, result.errors, result.wrong) == (
        1,
        1,
        2,
        1,
        2,
        2,
    )
    assert result.sent == len(requests)


def test_latencies_leave_out_the_refused_and_count_those_who_left() -> None:
    refusals = [request(n, status=503, right=False, took=1.0) for n in range(100)]
    result = tally([*refusals, request(took=200), request(status=0, right=False, timed_out=True, took=5000)])
    assert (result.p50_ms, result.p99_ms) == (200, 5000)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    hundred = [float(n) for n in range(1, 101)]
    assert [percentile(hundred, share) for share in (0, 0.5, 0.99, 1)] == [1, 50, 99, 100]
    assert percentile([], 0.5) == 0


def test_a_run_is_void_when_requests_were_dropped_or_late() -> None:
    in_time = tally([request(n) for n in range(100)])
    assert void_reason(in_time, dropped=1) == ""
    assert void_reason(in_time, dropped=2) == "2 of 102 requests were not sent"
    assert "late by 251 ms" in void_reason(tally([request(n, late=251.0) for n in range(100)]), dropped=0)


def test_records_are_read_in_the_order_of_arrival_and_a_torn_line_is_left_out() -> None:
    record = {
        "kind": "dashboard",
        "intended": 1.0,
        "late": 0,
        "took": 9,
        "status": 200,
        "right": True,
        "timed_out": False,
    }
    lines = [json.dumps(record | {"n": n}) + "\n" for n in (1, 0)]
    assert [r.n for r in parse([*lines, lines[0][:30]])] == [0, 1]
