"""A search for the limit: goodput and latency against load, and the Universal Scalability Law through what was done."""

from __future__ import annotations

from collections.abc import Sequence

from flashcrowd.report.chart import Axis, Mark, Series, chart, legend, linear, logarithmic
from flashcrowd.report.figures import milliseconds, number, rate, share, short_milliseconds
from flashcrowd.report.thresholds import LATENCIES, parse_promise
from flashcrowd.result import LimitResult, RunResult


def curves(result: LimitResult) -> str:
    """All of it as HTML; empty where no load was offered."""
    runs = sorted((run for run in result.runs if run.offered_per_s), key=lambda run: run.offered_per_s or 0.0)
    if not runs:
        return ""
    x = linear([run.offered_per_s or 0.0 for run in runs], rate)
    parts = [_goodput(result, runs, x), _latency(result, runs, x), _law(result)]
    return f'<section class="card panels" aria-label="Curves">{"".join(parts)}</section>'


def law(result: LimitResult, under_way: float) -> float | None:
    """What the fitted law expects to be done a second with so many requests under way; None where none was fitted."""
    if result.contention is None or result.coherency is None or result.alone_per_s is None:
        return None
    waits = 1 + result.contention * (under_way - 1) + result.coherency * under_way * (under_way - 1)
    return result.alone_per_s * under_way / waits


def told(run: RunResult) -> str:
    """One load in words."""
    parts = [f"{rate(run.offered_per_s or 0)} offered: {rate(run.goodput_per_s)} right"]
    if run.latency_ms.count:
        parts.append(f"p50 {milliseconds(run.latency_ms.p50)}, p95 {milliseconds(run.latency_ms.p95)}")
    if run.requests:
        parts.append(f"{share((run.requests - run.good) / run.requests)} without a right answer")
    return ", ".join([*parts, f"void: {run.void_reason}"] if run.void else parts)


def _goodput(result: LimitResult, runs: Sequence[RunResult], x: Axis) -> str:
    points = [(run.offered_per_s or 0.0, run.goodput_per_s) for run in runs]
    y = linear([value for _, value in points], rate)
    reach = min(x.high, y.high)
    series = [
        Series("all that was asked for", "ink-soft", [(0.0, 0.0), (reach, reach)], "dashed"),
        Series("goodput", "good", points),
        *_dots(runs, points, "good"),
    ]
    drawn = chart("Goodput against offered load", x, y, series, marks=_holds(result))
    return _panel("Goodput against offered load", legend(series[:2]), drawn)


def _latency(result: LimitResult, runs: Sequence[RunResult], x: Axis) -> str:
    known = [run for run in runs if run.latency_ms.count]
    if not known:
        return ""
    series, dots = [], []
    for name in ("p50", "p95", "p99"):
        points = [(run.offered_per_s or 0.0, float(getattr(run.latency_ms, name))) for run in known]
        series.append(Series(name, name, points))
        dots += _dots(known, points, name)
    bounds = [
        Mark(condition.bound, f"promised: {condition.text}", "y")
        for condition in parse_promise(result.promise)
        if condition.metric in LATENCIES and condition.step is None
    ]
    values = [value for one in series for _, value in one.points] + [mark.at for mark in bounds]
    y = logarithmic(values, short_milliseconds)
    label = "Latency of right answers against offered load, on a logarithmic scale"
    drawn = chart(label, x, y, [*series, *dots], marks=[*bounds, *_holds(result)])
    return _panel("Latency against offered load, from when users meant to send", legend(series), drawn)


def _law(result: LimitResult) -> str:
    if law(result, 1.0) is None or not len(result.under_way) == len(result.done_per_s) == len(result.runs):
        return ""
    known = [
        (under, done, run)
        for under, done, run in zip(result.under_way, result.done_per_s, result.runs, strict=True)
        if under > 0 and not run.void
    ]
    if not known:
        return ""
    points = [(under, done) for under, done, _ in known]
    most = max(under for under, _ in points)
    x = linear([most], number)
    fitted = [(n, value) for n in _between(1.0, x.high) if (value := law(result, n)) is not None]
    alone = result.alone_per_s or 0.0
    y = linear([*(value for _, value in points), *(value for _, value in fitted)], rate)
    straight = min(x.high, y.high / alone) if alone else 0.0
    series = [
        Series("without any waiting", "ink-soft", [(0.0, 0.0), (straight, straight * alone)], "dashed"),
        Series("the law, fitted", "spark", fitted),
        Series(
            "measured",
            "good",
            points,
            "dots",
            titles=[f"{number(under)} under way: {told(run)}" for under, _, run in known],
        ),
    ]
    drawn = chart("Right answers a second against requests under way, with the fitted law", x, y, series)
    words = (
        f"Contention σ = {result.contention:.3g}: the part of the work that waits in one line. "
        f"Coherency κ = {result.coherency:.3g}: what keeping in step costs each pair of requests; it is what makes "
        "answers fall again. The x axis is requests under way on average, by Little’s law; the y axis right answers a "
        "second, until the last one came."
    )
    return _panel("Universal Scalability Law", legend(series), f'{drawn}<p class="small soft">{words}</p>')


def _dots(runs: Sequence[RunResult], points: Sequence[tuple[float, float]], colour: str) -> list[Series]:
    made = []
    for is_void, extra in ((False, ""), (True, " void")):
        chosen = [(at, told(run)) for run, at in zip(runs, points, strict=True) if run.void is is_void]
        if chosen:
            titles = [words for _, words in chosen]
            made.append(Series("", f"{colour}{extra}", [at for at, _ in chosen], "dots", titles=titles))
    return made


def _holds(result: LimitResult) -> list[Mark]:
    if result.holds_per_s is None:
        return []
    return [Mark(result.holds_per_s, f"the promise holds up to {rate(result.holds_per_s)}", "x")]


def _between(low: float, high: float, points: int = 80) -> list[float]:
    return [low + (high - low) * (n / points) for n in range(points + 1)]


def _panel(heading: str, explained: str, drawn: str) -> str:
    return f'<div class="panel"><header><h3>{heading}</h3>{explained}</header>{drawn}</div>'
