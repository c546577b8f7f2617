"""The page: one HTML file without outside assets, drawn from the JSON document alone.

`python -m lab.five_times.page FIGURES.json PAGE.html` draws it again from kept figures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from statistics import median

from lab.five_times import plot, tables
from lab.five_times.document import Document, ServiceRun, TurnoutRun
from lab.five_times.method import method
from lab.five_times.plot import Bar
from lab.launch_day.page import MARK, STYLE

OWN_STYLE = Path(__file__).with_name("page.css")

WITHOUT = {
    "locks": ("no turns for writers", "Writers to SQLite no longer take turns, and begin as SQLite does by itself."),
    "pool": ("no sized pools", "A thread for whoever comes, up to 400: queries, password checks, accounts."),
    "gate": ("no gates", "Everybody is let in at once; nobody is told to come back."),
    "sharing": (
        "no sharing",
        "Equal questions are each asked of the store, equal pages come by themselves, no answer is kept.",
    ),
}


def draw(document: Document) -> str:
    """The page as HTML."""
    parts = [_void(document), _opening(document), _service(document), _turnout(document), tables.conservation(document)]
    parts += [tables.runs(document), method(document)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Five times the crowd</title><style>{STYLE.read_text()}{OWN_STYLE.read_text()}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def goodputs(runs: Sequence[ServiceRun], step: str, factor: float) -> list[float]:
    """Good answers a second of one step under one load, in every round."""
    return [run["load"]["goodput_per_s"] for run in runs if run["step"] == step and run["load"]["factor"] == factor]


def whole(runs: Sequence[TurnoutRun], factor: float) -> TurnoutRun:
    """Turnout with all its protections, under one load."""
    return next(run for run in runs if run["without"] is None and run["factor"] == factor)


def _void(document: Document) -> str:
    told = [
        f"step {run['step']} at {run['load']['factor']:g} ×: {run['load'].get('void_reason', 'late')}"
        for run in document["service"]["runs"]
        if run["load"]["void"]
    ]
    told += [
        f"Turnout, {run['without'] or 'whole'}, at {run['factor']:g} ×: {run['void_reason']}"
        for run in document["turnout"]["runs"]
        if run["void"]
    ]
    if not told:
        return ""
    count = len(document["service"]["runs"]) + len(document["turnout"]["runs"])
    items = "".join(f"<li>{escape(line)}</li>" for line in told)
    return (
        f'<section class="card void-runs"><b>{len(told)} of {count} runs {"is" if len(told) == 1 else "are"} void.</b> The '
        f"generator was the limit there, so they say nothing about the service.<ul>{items}</ul></section>"
    )


def _opening(document: Document) -> str:
    service, turnout = document["service"], document["turnout"]
    was, mended = (median(goodputs(service["runs"], step, 5.0)) for step in ("0", "5"))
    five, peak = whole(turnout["runs"], 5.0), turnout["peak_per_s"]
    load = 5 * service["first_fails_per_s"]
    kept = sum(run["events"]["acknowledged"] for run in turnout["runs"])
    lost = sum(run["events"]["missing"] + run["events"]["doubled"] for run in turnout["runs"])
    return (
        f'<div class="eyebrow">{MARK} Five times the crowd</div>'
        f"<h1>Five times the load that broke it: <em>{was:.1f}</em> good answers a second as it was, "
        f"<strong>{mended:.1f}</strong> mended.</h1>"
        f'<p class="lede">An ordinary service first fails at {service["first_fails_per_s"]:.1f} people a second. At '
        f"{load:.0f} it met the same crowd as its mended self: the same data, sign-in check, counter and cost of a hash. "
        f"Turnout itself, which is built from the same parts, was given five times its own peak of {peak:.0f} a second, "
        "whole and with one protection off at a time.</p>"
        '<section class="card heads">'
        + _head("Good a second, at 5 ×", f"{was:.1f}", f"{mended:.1f}")
        + f'<div class="head"><small>Turnout, at its peak and 5 × it</small><b>{peak:.0f}</b><i>→</i>'
        + f"<b>{five['goodput_per_s']:.0f}</b></div>"
        + f'<div class="head"><small>Events acknowledged</small><b>{kept:,}</b></div>'
        + f'<div class="head"><small>Of them lost or doubled</small><b class="is">{lost}</b></div></section>'
    )


def _head(what: str, was: str, now: str) -> str:
    return f'<div class="head"><small>{what}</small><b class="was">{was}</b><i>→</i><b class="is">{now}</b></div>'


def _service(document: Document) -> str:
    service = document["service"]
    rows = []
    for step in ("0", "5"):
        for factor in (1.0, 5.0):
            runs = [run for run in service["runs"] if run["step"] == step and run["load"]["factor"] == factor]
            loads = [run["load"] for run in runs]
            counts = {
                "good": sum(load["good"] for load in loads),
                "refused": sum(load["refused"] for load in loads),
                "slow": sum(load["slow"] for load in loads),
                "timeouts": sum(load["timeouts"] for load in loads),
                "errors": sum(load["errors"] + load["wrong"] for load in loads),
            }
            label = f"step {step}, {runs[0]['title']}"
            note = f"{factor:g} × ({loads[0]['offered_per_s']:.0f}/s)"
            rows.append(Bar(label, note, counts, _range(goodputs(service["runs"], step, factor)), factor == 1.0))
    rounds = max(run["round"] for run in service["runs"])
    return (
        "<h2>The ordinary service, as it was and mended</h2>"
        f"<p>1 × is the lowest load that was tried at which step 0 did not keep its promise: {service['promise']}. What "
        f"became of a hundred who came{f', over {rounds} rounds' if rounds > 1 else ''}; on the right the good answers "
        "a second. What each step changes is on the page of <code>lab.launch_day</code>.</p>"
        f"{plot.legend()}<section class='card plot bars'>{plot.bars(rows, 'Outcomes of step 0 and step 5')}</section>"
    )


def _turnout(document: Document) -> str:
    turnout = document["turnout"]
    rows = []
    for without in (None, *WITHOUT):
        for factor in (1.0, 5.0):
            run = next(r for r in turnout["runs"] if r["without"] == without and r["factor"] == factor)
            label = "whole" if without is None else WITHOUT[without][0]
            note = f"{factor:g} × ({run['offered_per_s']:.0f}/s)"
            rows.append(Bar(label, note, _counts(run), f"{run['goodput_per_s']:.0f}/s good", factor == 1.0))
    told = "".join(
        f"<p><b>{escape(name[0].upper() + name[1:])}.</b> {escape(words)}</p>" for name, words in WITHOUT.values()
    )
    return (
        "<h2>Turnout at five times its own peak, and what each protection is for</h2>"
        f"<p>Of twenty who come, ten are visitors whose tracker sends an event, nine open a dashboard, and one signs in. 1 × "
        f"is Turnout’s own peak, {turnout['peak_per_s']:.0f} good answers a second.</p>{plot.legend()}"
        f"<section class='card plot bars'>{plot.bars(rows, 'Outcomes of Turnout, whole and with a protection off')}</section>"
        f'<div class="notes off">{told}</div>'
    )


def _counts(run: TurnoutRun) -> dict[str, int]:
    told = run["outcomes"]
    return {
        "good": told["good"],
        "refused": told["refused"],
        "slow": told["late"] + told["partial"],
        "timeouts": told["timed_out"],
        "errors": told["wrong"] + told["broken"],
    }


def _range(found: Sequence[float]) -> str:
    low, high = f"{min(found):.1f}", f"{max(found):.1f}"
    return f"{low}/s good" if low == high else f"{low} – {high}/s good"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(json.loads(Path(sys.argv[1]).read_text())))
