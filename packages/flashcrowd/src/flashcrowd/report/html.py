"""A result as one HTML file without anything from elsewhere: the verdict in a sentence, the curves, the tables behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib.metadata import version
from importlib.resources import files

from flashcrowd.report import sentence, tables
from flashcrowd.report.curves import curves
from flashcrowd.report.figures import count, milliseconds, number, rate, share
from flashcrowd.report.thresholds import Condition, met
from flashcrowd.report.timeline import timeline
from flashcrowd.result import LimitResult, RunResult
from flashcrowd.samples import Verdict

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Names in a report come from elsewhere. They are escaped; and if one were not, nothing in it could run."""
NO_BREAK = "\N{NO-BREAK SPACE}"
MARK = (
    '<svg width="26" height="24" viewBox="0 0 26 24" aria-hidden="true"><g fill="currentColor">'
    '<circle cx="4" cy="19" r="2.6" opacity=".4"/><circle cx="9.5" cy="14" r="2.6" opacity=".55"/>'
    '<circle cx="11" cy="20.4" r="2.6" opacity=".7"/><circle cx="16" cy="16" r="2.6" opacity=".85"/></g>'
    '<circle cx="21.5" cy="6" r="3.4" fill="var(--spark)"/></svg>'
)


def drawn(result: RunResult | LimitResult, *, fail_if: Sequence[Condition] = ()) -> str:
    """The page as HTML, to be written to a file. `fail_if` are the conditions that a run was judged by."""
    body = _run(result, fail_if) if isinstance(result, RunResult) else _limit(result)
    target = result.target if isinstance(result, RunResult) else _target(result)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="color-scheme" content="light dark">'
        f"<title>Flashcrowd: {escape(target)}</title><style>{style()}</style></head><body><main>{body}</main></body></html>\n"
    )


def style() -> str:
    """The style sheet of the page."""
    return files("flashcrowd.report").joinpath("page.css").read_text(encoding="utf-8")


def _run(result: RunResult, fail_if: Sequence[Condition]) -> str:
    of = (
        f"of {rate(result.offered_per_s)} asked for"
        if result.offered_per_s is not None
        else "closed arrivals offer none"
    )
    good = share(result.good / result.requests) if result.requests else "–"
    latency = result.latency_ms
    shown = [milliseconds(value) if latency.count else "–" for value in (latency.p50, latency.p95, latency.p99)]
    heads = (
        _head("Goodput", rate(result.goodput_per_s), of),
        _head("Right answers", good, f"of {count(result.requests, 'request')}{_came(result)}"),
        _head("p50", shown[0], "half waited no longer"),
        _head("p95", shown[1], "one in 20 waited longer"),
        _head("p99", shown[2], "one in 100 waited longer"),
        _head("Sent late", milliseconds(result.lateness_ms.p99), "p99, by the generator itself"),
    )
    return (
        _void(result.void_reason if result.void else "")
        + _opening(result, result.verdict, f"{result.users} → {result.target}", result.began)
        + _conditions(fail_if, result)
        + f'<section class="card heads" aria-label="In figures">{"".join(heads)}</section>'
        + f"<h2>Second by second</h2>{timeline(result)}"
        + f"<h2>By request</h2>{tables.steps(result)}{_reasons(result)}"
        + _behind(tables.resources(result), "What the target said of itself")
        + _behind(tables.seconds(result), "Every second")
        + _method(result, result.arrivals)
    )


def _limit(result: LimitResult) -> str:
    void = [run for run in result.runs if run.void]
    told = f"{void[0].void_reason}, at {len(void)} of {count(len(result.runs), 'load')}" if void else ""
    law = [
        _head(name, f"{value:.3g}", words)
        for name, value, words in (
            ("Contention σ", result.contention, "the part that waits in one line"),
            ("Coherency κ", result.coherency, "the cost of keeping in step"),
        )
        if value is not None
    ]
    holds = "–" if result.holds_per_s is None else rate(result.holds_per_s)
    heads = (
        _head("Promise holds up to", holds, result.promise),
        _head("Peak", rate(result.peak_per_s), "goodput"),
        *law,
    )
    first = result.runs[0] if result.runs else None
    return (
        _void(told)
        + _opening(
            result,
            result.verdict,
            f"{first.users} → {first.target}" if first else "",
            first.began if first else "",
        )
        + f'<section class="card heads" aria-label="In figures">{"".join(heads)}</section>'
        + f"<h2>Against load</h2>{curves(result)}"
        + f"<h2>Every load</h2>{tables.loads(result)}"
        + (_method(first, _loads(result)) if first else "")
    )


def _opening(result: RunResult | LimitResult, verdict: Verdict | None, what: str, began: str) -> str:
    if isinstance(result, RunResult) and result.void:
        first, rest, verdict = f"Nothing can be said of {result.target}", "", None  # the reason is in the band above
    else:
        first, _, rest = sentence.verdict(result).partition(". ")
    heading = escape(first if rest else first.removesuffix("."))
    if verdict is not None:
        name = escape(sentence.name_of(verdict))
        heading = heading.replace(name, f"<em>{name}</em>", 1)
    when = f'<span class="soft">{escape(_when(began))}</span>' if began else ""
    lede = f'<p class="lede">{escape(rest.replace(" %", NO_BREAK + "%"))}</p>' if rest else ""
    return (
        f'<div class="eyebrow">{MARK}<b>Flashcrowd</b><span>{escape(what)}</span>{when}</div>'
        f"<h1>{heading}.</h1>{lede}{_evidence(verdict)}"
    )


def _evidence(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in verdict.evidence)
    return (
        f'<section class="evidence" aria-label="Evidence"><ol>{items}</ol>'
        f'<p class="small soft">Confidence {share(verdict.confidence)}.</p></section>'
    )


def _void(reason: str) -> str:
    if not reason:
        return ""
    return (
        f'<div class="void" role="note"><b>Void</b><p>{escape(reason[:1].upper() + reason[1:])}. '
        "The generator was the limit, not the target.</p></div>"
    )


def _conditions(fail_if: Sequence[Condition], result: RunResult) -> str:
    failed = met(fail_if, result)
    items = "".join(
        f'<li class="{"fell" if condition in failed else "held"}"><b>{"failed" if condition in failed else "passed"}</b> '
        f"{escape(condition.told(result))}</li>"
        for condition in fail_if
    )
    return f'<ul class="conditions">{items}</ul>' if items else ""


def _came(result: RunResult) -> str:
    return f" by {count(result.arrived, 'user')}" if result.arrived else ""


def _reasons(result: RunResult) -> str:
    if not result.reasons:
        return ""
    told = tables.table("Why", ("why not right", "times"), [(why, f"{n:,}") for why, n in result.reasons.items()])
    return f'<div class="apart">{told}</div>'


def _head(what: str, value: str, words: str) -> str:
    return f'<div class="head"><small>{escape(what)}</small><b>{escape(value)}</b><span>{escape(words)}</span></div>'


def _behind(told: str, summary: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{told}</details>" if told else ""


def _loads(result: LimitResult) -> str:
    offered = [run.offered_per_s for run in result.runs if run.offered_per_s is not None]
    told = f"open, constant, one load after the other, {result.runs[0].duration_s:g} s each"
    return f"{told}: {rate(min(offered))} to {rate(max(offered))}" if offered else told


def _method(result: RunResult, arrivals: str) -> str:
    return (
        '<footer><h2>How it was measured</h2><div class="notes">'
        f"<p><b>Arrivals</b> {escape(arrivals)}; seed {result.seed}. {_model(result)}</p>"
        "<p><b>Latency</b> counts from the moment a user meant to send, not from when the request was sent, and is of right "
        "answers. A target that stands still for a second is charged for everybody who would have come in it.</p>"
        "<p><b>Goodput</b> is right answers in time. What was refused, timed out, wrong or broken is counted apart.</p>"
        f"<p><b>Generator</b> {escape(result.machine)}; it sent p99 {milliseconds(result.lateness_ms.p99)} late, at most "
        f"{milliseconds(result.lateness_ms.max)}. Where that is too much, a run is void.</p>"
        f"<p><b>Target’s own figures</b> {_readings(result)}</p></div>"
        f'<p class="small">Flashcrowd {escape(version("flashcrowd"))}</p></footer>'
    )


def _model(result: RunResult) -> str:
    if result.offered_per_s is None:
        return "Closed: each user waits for the answer before the next request, so a slow target is asked less."
    return "Open: users come whether or not the target keeps up."


def _readings(result: RunResult) -> str:
    if not result.readings:
        return "were not to be had."
    kinds = len({(resource.name, resource.kind) for reading in result.readings for resource in reading.resources})
    every_s = (result.readings[-1].at_s - result.readings[0].at_s) / max(1, len(result.readings) - 1)
    every = f", every {number(every_s)} s" if every_s > 0 else ""
    of = count(kinds, "resource") if kinds else "the process alone"
    return f"{count(len(result.readings), 'reading')} of {of}{every}, on the generator’s clock."


def _when(began: str) -> str:
    try:
        at = datetime.fromisoformat(began)
    except ValueError:
        return began
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _target(result: LimitResult) -> str:
    return result.runs[0].target if result.runs else "nothing was tried"
