"""Results for tests, of a service that is simulated second by second: a pool of places in front of a growing crowd."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from flashcrowd.result import Latency, LimitResult, RunResult, Second, StepResult
from flashcrowd.samples import Process, Reading, Resource, Verdict

POOL = Verdict(
    resource="db",
    kind="connection pool",
    confidence=0.93,
    evidence=(
        "All 10 connections of db were lent for 97 % of the time at 240/s.",
        "The wait for db rose from 0.4 ms at 60/s to 610 ms at 240/s; everything else stayed below 9 ms.",
        "By Little's law 10 connections held for 50 ms each give 200/s; 198/s were measured.",
    ),
    predicted_gain=1.6,
    of_p95=0.82,
)


def latency(count: int, p50: float) -> Latency:
    return Latency(count, p50, p50 * 2.4, p50 * 3.6, p50 * 5)


def run(
    offered_per_s: float = 120.0,
    *,
    duration_s: int = 30,
    capacity_per_s: float = 200.0,
    seed: int = 1,
    spread: float = 0.05,
    verdict: Verdict | None = POOL,
    void_reason: str = "",
) -> RunResult:
    """One run. Where more is offered than there is capacity for, users wait in line and the rest is refused or leaves."""
    random = Random(seed)
    seconds, readings, waiting, waited_s = [], [], 0.0, 0.0
    for n in range(duration_s):
        arrived = max(0, round(random.gauss(offered_per_s, offered_per_s**0.5)))
        capacity = capacity_per_s * random.gauss(1, spread)
        good = round(min(arrived + waiting, capacity))
        waiting = max(0.0, waiting + arrived - good)
        refused = round(max(0.0, waiting - 300) * 0.8)
        timed_out = round(max(0.0, waiting - refused - 200) * 0.5)
        waiting -= refused + timed_out
        errors = {kind: n for kind, n in (("refused", refused), ("timed_out", timed_out)) if n}
        p50 = 12.0 * random.gauss(1, spread) + 1000 * waiting / capacity_per_s
        users = round(waiting + offered_per_s * 0.02)
        seconds.append(
            Second(float(n), arrived, good + refused + timed_out, good, errors, latency(good, p50), users=users)
        )
        waited_s += waiting
        busy = min(10.0, 10 * arrived / capacity_per_s)
        readings.append(
            Reading(
                n + 0.5,
                (
                    Resource("db", "connection pool", 10, busy, waiting, waited_s, waited_s * 10),
                    Resource("sync", "thread pool", 40, min(40.0, busy + waiting / 10), 0),
                    Resource("accounts", "lock", 1, 0.2 + 0.05 * random.random(), 0),
                ),
                Process(0.4 * n, 2, 90e6, 48, 0.002),
            )
        )
    good = sum(second.good for second in seconds)
    requests = sum(second.requests for second in seconds)
    errors = {
        kind: total
        for kind in ("refused", "timed_out")
        if (total := sum(second.errors.get(kind, 0) for second in seconds))
    }
    mean = sum(second.latency_ms.p50 for second in seconds) / len(seconds)
    whole = latency(good, mean)
    return RunResult(
        target="http://127.0.0.1:8000",
        users="visitors.py",
        arrivals=f"open, constant, {offered_per_s:g}/s for {duration_s} s",
        began="2026-11-21T09:30:00Z",
        duration_s=float(duration_s),
        seed=seed,
        requests=requests,
        good=good,
        goodput_per_s=good / duration_s,
        offered_per_s=offered_per_s,
        errors=errors,
        latency_ms=whole,
        lateness_ms=Latency(requests, 0.1, 0.4, 24.0 if void_reason else 0.9, 61.0 if void_reason else 4.2),
        void=bool(void_reason),
        void_reason=void_reason,
        steps=(
            StepResult("GET /", requests * 3 // 4, good * 3 // 4, {}, replace(whole, count=good * 3 // 4)),
            StepResult("sign in", requests // 4, good // 4, errors, replace(whole, count=good // 4, p95=whole.p95 * 2)),
        ),
        seconds=tuple(seconds),
        readings=tuple(readings),
        verdict=verdict,
        machine="2 cores, Linux, Python 3.11",
        arrived=sum(second.arrived for second in seconds),
        reasons={"status 503": errors["refused"]} if "refused" in errors else {},
    )


def limit(*, verdict: Verdict | None = POOL) -> LimitResult:
    """A search: the promise holds at 160/s, and breaks above."""
    runs = tuple(run(load, duration_s=12, seed=n, verdict=None) for n, load in enumerate((40, 80, 120, 160, 240, 200)))
    peak = max(one.goodput_per_s for one in runs)
    under_way = tuple(one.goodput_per_s * one.latency_ms.p50 / 1000 * 1.2 for one in runs)
    done = tuple(one.goodput_per_s for one in runs)
    return LimitResult(runs, "p95<=500ms,errors<=0.1%", 160.0, peak, 0.3, 0.0001, verdict, 68.0, under_way, done)
