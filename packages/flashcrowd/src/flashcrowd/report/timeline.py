"""A run, second by second: who came and what came of it, how long it took, and the target's queues and pools under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from statistics import fmean, median
from typing import TypeVar

from flashcrowd.report.chart import Axis, Mark, Series, chart, legend, linear, logarithmic, spanning, stepped
from flashcrowd.report.figures import clock, count, milliseconds, number, rate, short_milliseconds
from flashcrowd.report.filling import cores_in_use
from flashcrowd.result import RunResult, Second
from flashcrowd.samples import Resource

MOST_COLUMNS = 240
"""More could not be told apart; seconds of longer runs are taken together."""
GAP = 4
MOST_RESOURCES = 6
OUTCOMES = (
    ("good", "right"),
    ("refused", "refused"),
    ("timed_out", "timed out"),
    ("wrong", "wrong"),
    ("broken", "broken"),
)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """One second, or several together. Rates are means; of latencies p50 is the mean, and of the others the worst second."""

    start_s: float
    end_s: float
    arrived_per_s: float
    per_s: dict[str, float]
    """By outcome, `good` among them."""
    latency_ms: tuple[float, float, float] | None
    """p50, p95, p99; None where nothing was right."""
    users: int


def columns(seconds: Sequence[Second]) -> list[Column]:
    """At most `MOST_COLUMNS` of them, each of the same number of seconds but for the last."""
    each = -(-len(seconds) // MOST_COLUMNS) if seconds else 1
    return [_column(seconds[n : n + each]) for n in range(0, len(seconds), each)]


def timeline(result: RunResult) -> str:
    """The whole of it as HTML; empty where not one second is over."""
    told = columns(result.seconds)
    if not told:
        return ""
    x = spanning(0.0, told[-1].end_s, clock)
    parts = [_outcomes(result, told, x), _latencies(told, x), _users(told, x)]
    resources = shown_resources(result)
    parts += [_resource(result, name, kind, x) for name, kind in resources]
    cores = [*cores_in_use(result.readings)]
    if cores:
        parts.append(_cores(result, cores, x))
    each = round(told[0].end_s - told[0].start_s)
    note = f"Each point is {each} s: means, but of p95 and p99 the worst second. " if each > 1 else ""
    silent = "" if result.readings else "The target told nothing of itself, so there are no queues and pools here. "
    return (
        '<section class="card panels" aria-label="Time line">'
        f'{"".join(parts)}</section><p class="small soft">{note}{silent}Point at a second for its figures.</p>'
    )


def shown_resources(result: RunResult) -> list[tuple[str, str]]:
    """Names and kinds: the one of the verdict first, then those that were waited for or at least half full, at most six."""
    worst: dict[tuple[str, str], tuple[bool, float, float]] = {}
    for reading in result.readings:
        for resource in reading.resources:
            key = (resource.name, resource.kind)
            full = (resource.in_use or 0) / resource.capacity if resource.capacity else 0.0
            named = result.verdict is not None and key == (result.verdict.resource, result.verdict.kind)
            worst[key] = max(worst.get(key, (False, 0.0, 0.0)), (named, resource.waiting or 0.0, full))
    order = sorted(worst, key=lambda key: worst[key], reverse=True)
    return [key for key in order if worst[key][0] or worst[key][1] > 0 or worst[key][2] >= 0.5][:MOST_RESOURCES]


def unbroken(seen: Sequence[tuple[float, T]]) -> list[list[tuple[float, T]]]:
    """`seen` in stretches, parted where nothing was seen for longer than `GAP` times as long as usual: a target that is
    asked and does not answer is not drawn as if one knew how it was."""
    usual_s = median(after - before for (before, _), (after, _) in pairwise(seen)) if len(seen) > 1 else 0.0
    stretches: list[list[tuple[float, T]]] = []
    for one in seen:
        if not stretches or one[0] - stretches[-1][-1][0] > max(GAP * usual_s, 1.0):
            stretches.append([])
        stretches[-1].append(one)
    return stretches


def _outcomes(result: RunResult, told: Sequence[Column], x: Axis) -> str:
    series, floor_per_s = [], [0.0] * (2 * len(told))
    for kind, words in OUTCOMES:
        if not any(column.per_s.get(kind) for column in told):
            continue
        upper = [
            (at, below + value)
            for (at, value), below in zip(
                stepped([(column.start_s, column.end_s, column.per_s.get(kind, 0.0)) for column in told]),
                floor_per_s,
                strict=True,
            )
        ]
        series.append(Series(words, f"o-{kind}", upper, "area", tuple(floor_per_s)))
        floor_per_s = [value for _, value in upper]
    came = stepped([(column.start_s, column.end_s, column.arrived_per_s) for column in told])
    series.append(Series("users who arrived", "ink", came, "dashed"))
    y = linear([*floor_per_s, *(value for _, value in came)], rate)
    titles = [(column.start_s, column.end_s, _title(column)) for column in told]
    drawn = chart("Requests a second by outcome, over time", x, y, series, marks=_end(result, x), titles=titles)
    return _panel("Answers a second", legend(series), drawn)


def _end(result: RunResult, x: Axis) -> list[Mark]:
    return [Mark(result.duration_s, "nobody comes any more", "x")] if x.high > result.duration_s + 0.5 else []


def _latencies(told: Sequence[Column], x: Axis) -> str:
    known = [
        ((column.start_s + column.end_s) / 2, column.latency_ms, column)
        for column in told
        if column.latency_ms is not None
    ]
    if not known:
        return ""
    series = [
        Series(name, colour, [(at, values[n]) for at, values, _ in known])
        for n, (name, colour) in enumerate((("p50", "p50"), ("p95", "p95"), ("p99", "p99")))
    ]
    y = logarithmic([value for _, values, _ in known for value in values], short_milliseconds)
    titles = [(column.start_s, column.end_s, _title(column)) for column in told]
    drawn = chart("Latency of right answers over time, on a logarithmic scale", x, y, series, titles=titles)
    return _panel("Latency, from when users meant to send", legend(series), drawn)


def _users(told: Sequence[Column], x: Axis) -> str:
    series = [
        Series(
            "", "ink-soft", stepped([(column.start_s, column.end_s, float(column.users)) for column in told]), "area"
        )
    ]
    y = linear([float(column.users) for column in told], number)
    titles = [
        (column.start_s, column.end_s, f"{clock(column.end_s)}: {count(column.users, 'user')}") for column in told
    ]
    drawn = chart("Users under way over time", x, y, series, titles=titles, small=True)
    return _panel("Users under way", "", drawn)


def _resource(result: RunResult, name: str, kind: str, x: Axis) -> str:
    seen = [
        (reading.at_s, resource)
        for reading in result.readings
        for resource in reading.resources
        if (resource.name, resource.kind) == (name, kind)
    ]
    is_named = result.verdict is not None and (name, kind) == (result.verdict.resource, result.verdict.kind)
    wanted = [(resource.in_use or 0.0) + (resource.waiting or 0.0) for _, resource in seen]
    series = []
    for n, part in enumerate(unbroken(seen)):
        in_use = [(at, resource.in_use or 0.0) for at, resource in part]
        above = [(at, (resource.in_use or 0.0) + (resource.waiting or 0.0)) for at, resource in part]
        series.append(Series("" if n else "in use", "in-use", in_use, "area"))
        if any(resource.waiting for _, resource in seen):
            series.append(Series("" if n else "waiting", "waiting", above, "area", tuple(value for _, value in in_use)))
    capacity = [(at, resource.capacity) for at, resource in seen if resource.capacity is not None]
    if capacity:
        series.append(Series("capacity", "ink", capacity, "dashed"))
    y = linear([*wanted, *(value for _, value in capacity)], number)
    titles = [
        (at, after, f"{clock(at)}: {_told(resource)}")
        for (at, resource), after in zip(seen, [*(at for at, _ in seen[1:]), x.high], strict=True)
    ]
    drawn = chart(f"{kind} {name}: in use and waiting, over time", x, y, series, titles=titles, small=True)
    tag = ' <b class="tag">bottleneck</b>' if is_named else ""
    return _panel(f"{escape(name)} <small>{escape(kind)}</small>{tag}", legend(series), drawn, is_named=is_named)


def _cores(result: RunResult, used: Sequence[tuple[float, float]], x: Axis) -> str:
    cores = next((reading.process.cores for reading in result.readings if reading.process.cores), None)
    series = [Series("" if n else "in use", "in-use", part, "area") for n, part in enumerate(unbroken(used))]
    if cores:
        series.append(Series("cores it may use", "ink", [(x.low, cores), (x.high, cores)], "dashed"))
    y = linear([*(value for _, value in used), cores or 0.0], number)
    titles = [(at, after, f"{clock(after)}: {number(value)} cores") for (at, _), (after, value) in pairwise(used)]
    drawn = chart("Processor cores in use over time", x, y, series, titles=titles, small=True)
    return _panel("Processor <small>cores</small>", legend(series), drawn)


def _panel(heading: str, told: str, drawn: str, *, is_named: bool = False) -> str:
    return f'<div class="panel{" named" if is_named else ""}"><header><h3>{heading}</h3>{told}</header>{drawn}</div>'


def _column(seconds: Sequence[Second]) -> Column:
    long_s = len(seconds)
    kinds = {kind for second in seconds for kind in second.errors}
    per_s = {kind: sum(second.errors.get(kind, 0) for second in seconds) / long_s for kind in kinds}
    per_s["good"] = sum(second.good for second in seconds) / long_s
    known = [second.latency_ms for second in seconds if second.latency_ms.count]
    latency = (
        (fmean(one.p50 for one in known), max(one.p95 for one in known), max(one.p99 for one in known))
        if known
        else None
    )
    arrived_per_s = sum(second.arrived for second in seconds) / long_s
    start_s = seconds[0].at_s
    return Column(start_s, seconds[-1].at_s + 1, arrived_per_s, per_s, latency, seconds[-1].users)


def _title(column: Column) -> str:
    words = [f"{clock(column.end_s)}: {rate(column.arrived_per_s)} arrived"]
    words += [f"{rate(column.per_s[kind])} {told}" for kind, told in OUTCOMES if column.per_s.get(kind)]
    if column.latency_ms is not None:
        words += [
            f"{name} {milliseconds(value)}"
            for name, value in zip(("p50", "p95", "p99"), column.latency_ms, strict=True)
        ]
    return ", ".join(words)


def _told(resource: Resource) -> str:
    of = f" of {number(resource.capacity)}" if resource.capacity is not None else ""
    parts = [f"{number(resource.in_use)}{of} in use"] if resource.in_use is not None else []
    parts += [f"{number(resource.waiting)} waiting"] if resource.waiting is not None else []
    return ", ".join(parts)
