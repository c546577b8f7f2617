"""The tables behind the curves: everything that is drawn, as numbers with units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from flashcrowd.report.figures import clock, milliseconds, number, rate, share
from flashcrowd.report.timeline import OUTCOMES
from flashcrowd.result import Latency, LimitResult, RunResult
from flashcrowd.samples import Resource

LATENCY_HEADS = ("p50", "p95", "p99", "max")


def steps(result: RunResult) -> str:
    """What came of each named request."""
    kinds = [(kind, words) for kind, words in OUTCOMES[1:] if any(step.errors.get(kind) for step in result.steps)]
    rows = [
        (
            step.name,
            f"{step.requests:,}",
            f"{step.good:,}",
            *(f"{step.errors.get(kind, 0):,}" for kind, _ in kinds),
            *_latencies(step.latency_ms),
        )
        for step in result.steps
    ]
    return table("By request", ("request", "sent", "right", *(words for _, words in kinds), *LATENCY_HEADS), rows)


def seconds(result: RunResult) -> str:
    """The time line."""
    kinds = [(kind, words) for kind, words in OUTCOMES[1:] if result.errors.get(kind)]
    rows = [
        (
            clock(second.at_s),
            f"{second.arrived:,}",
            f"{second.good:,}",
            *(f"{second.errors.get(kind, 0):,}" for kind, _ in kinds),
            *_latencies(second.latency_ms),
            f"{second.users:,}",
        )
        for second in result.seconds
    ]
    heads = ("from", "arrived", "right", *(words for _, words in kinds), *LATENCY_HEADS, "users under way")
    return table("Second by second", heads, rows)


def resources(result: RunResult) -> str:
    """Each resource of the target over the whole run; empty where it told of none."""
    seen: dict[tuple[str, str], list[Resource]] = {}
    for reading in result.readings:
        for resource in reading.resources:
            seen.setdefault((resource.name, resource.kind), []).append(resource)
    rows = [
        (
            f"{name} ({kind})",
            _number(readings[-1].capacity),
            _mean(resource.in_use for resource in readings),
            _mean(resource.waiting for resource in readings),
            _highest(resource.waiting for resource in readings),
            _waited(readings),
        )
        for (name, kind), readings in seen.items()
    ]
    heads = ("resource", "capacity", "in use, mean", "waiting, mean", "waiting, most", "waited for, in all")
    return table("What the target said of itself", heads, rows) if rows else ""


def loads(result: LimitResult) -> str:
    """One line for each load, from low to high."""
    rows = [
        (
            rate(run.offered_per_s or 0.0) + (" (void)" if run.void else ""),
            rate(run.goodput_per_s),
            *_latencies(run.latency_ms),
            share((run.requests - run.good) / run.requests) if run.requests else "–",
            f"{run.duration_s:g} s",
            milliseconds(run.lateness_ms.p99),
        )
        for run in sorted(result.runs, key=lambda run: run.offered_per_s or 0.0)
    ]
    heads = ("offered", "goodput", *LATENCY_HEADS, "no right answer", "for", "sent late, p99")
    return table("Every load", heads, rows)


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that can be scrolled by keyboard; the first column names its row."""
    head = "".join(f'<th scope="col"{"" if n == 0 else NUMERIC}>{escape(words)}</th>' for n, words in enumerate(heads))
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td{NUMERIC}>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    label = escape(caption)
    return (
        f'<div class="card scroll" role="region" aria-label="{label}" tabindex="0"><table><caption>{label}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


NUMERIC = ' class="n"'


def _latencies(of: Latency) -> tuple[str, ...]:
    return tuple(milliseconds(value) if of.count else "–" for value in (of.p50, of.p95, of.p99, of.max))


def _number(value: float | None) -> str:
    return "–" if value is None else number(value)


def _mean(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return number(sum(known) / len(known)) if known else "–"


def _highest(values: Iterable[float | None]) -> str:
    return _number(max((value for value in values if value is not None), default=None))


def _waited(readings: Sequence[Resource]) -> str:
    first, last = readings[0].wait_s_total, readings[-1].wait_s_total
    return "–" if first is None or last is None else clock(max(0.0, last - first))
