"""What a result says, in a sentence: void first, then what limits the target, then what was seen."""

from __future__ import annotations

from flashcrowd.report import figures
from flashcrowd.report.figures import milliseconds, rate, share
from flashcrowd.result import LimitResult, RunResult
from flashcrowd.samples import Verdict

UNKNOWN = "What limits the target is not known."
KEEPS_UP = 0.95
"""Of what was asked for: less than that, for a whole run, is a line that grew. The search for the limit counts the same."""
KINDS = {"cpu": "processor", "event loop": "event loop", "downstream": "downstream service"}
"""What a kind is called in a sentence, where not by its own name."""


def verdict(result: RunResult | LimitResult) -> str:
    """The one sentence to read, if only one is read."""
    if isinstance(result, LimitResult):
        return _of_limit(result)
    if result.void:
        return f"Void: {result.void_reason}. The figures say nothing about {result.target}."
    if result.verdict is not None:
        return limited_by(result.verdict)
    if not result.requests:
        return "Nobody asked anything: there is nothing to say."
    failed = (result.requests - result.good) / result.requests
    if failed:
        return f"{share(failed)} of the requests got no right answer. {UNKNOWN}"
    if result.offered_per_s is None:
        return f"Every answer was right, p95 {milliseconds(result.latency_ms.p95)}. {UNKNOWN}"
    if result.goodput_per_s < KEEPS_UP * result.offered_per_s:
        came = f"{rate(result.goodput_per_s)} of {rate(result.offered_per_s)} were answered in time"
        return f"{result.target} did not keep up: {came}. {UNKNOWN}"
    return f"{result.target} kept up: every answer was right, p95 {milliseconds(result.latency_ms.p95)}."


def limited_by(found: Verdict) -> str:
    """`The connection pool db is the bottleneck.`, how much of the tail it explains, and what widening it would give."""
    kind, name = KINDS.get(found.kind, found.kind), name_of(found)
    told = f"The {name if kind in name else f'{kind} {name}'} is the bottleneck"
    if found.of_p95 is not None:
        told += f". Waiting there explains {_percent(found.of_p95)} of p95"
    return f"{told}. {gain(found)}".rstrip()


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def name_of(found: Verdict) -> str:
    """What the resource is called in a sentence: by its name, or by its kind where that is all there is."""
    return KINDS.get(found.kind, found.kind) if found.resource == found.kind else found.resource


def gain(found: Verdict) -> str:
    """What is to be expected from twice of the resource; empty where that can't be said."""
    if found.predicted_gain is None:
        return ""
    if found.predicted_gain < 1.02:
        return "Twice of it would give hardly more."
    return f"Twice of it would give about {_percent(found.predicted_gain - 1)} more."


def _of_limit(result: LimitResult) -> str:
    void = [run for run in result.runs if run.void]
    if void and len(void) == len(result.runs):
        return f"Void: {void[0].void_reason}. The figures say nothing about the target."
    if result.holds_per_s is None:
        told = "At no load that was tried did the promise hold"
    else:
        told = f"The promise holds up to {rate(result.holds_per_s)}"
    if result.verdict is None:
        return f"{told}. {UNKNOWN}"
    limited = limited_by(result.verdict)
    return f"{told}: {limited[:1].lower()}{limited[1:]}"


def outcomes(result: RunResult) -> str:
    """`9,120 requests: 98.7 % right, 1.2 % refused, 0.1 % timed out`."""
    told = [f"{share(result.good / result.requests)} right"] if result.requests else []
    told += [
        f"{share(count / result.requests)} {kind.replace('_', ' ')}" for kind, count in result.errors.items() if count
    ]
    return figures.count(result.requests, "request") + (": " + ", ".join(told) if told else "")
