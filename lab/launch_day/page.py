"""The page: one HTML file without outside assets, drawn from the JSON document alone and the code of the steps.

`python -m lab.launch_day.page FIGURES.json PAGE.html` draws it again from kept figures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lab.launch_day import cross_check, plot
from lab.launch_day.changes import change
from lab.launch_day.document import Document, Load, StepResult
from lab.launch_day.faults import FAULTS, cured_by
from lab.launch_day.method import method
from lab.launch_day.story import STEPS
from lab.launch_day.tables import badge, recovery, runs

STYLE = Path(__file__).with_name("page.css")
MARK = (
    '<svg width="24" height="24" viewBox="0 0 22 22" aria-hidden="true"><rect x="1" y="12" width="4" height="9" rx="1.4" '
    'fill="currentColor" opacity=".45"/><rect x="6.5" y="8" width="4" height="13" rx="1.4" '
    'fill="currentColor" opacity=".65"/>'
    '<rect x="12" y="3" width="4" height="18" rx="1.4" fill="currentColor" opacity=".85"/>'
    '<path d="M17.5 21V9.5" stroke="var(--spark)" stroke-width="3" stroke-linecap="round"/></svg>'
)


def draw(document: Document) -> str:
    """The page as HTML."""
    steps = document["steps"]
    parts = [
        _void(document),
        _opening(document),
        f'<section class="card plot">{plot.goodput(steps, document["peak_per_s"])}</section>',
        '<p class="small soft">Good answers a second against what was asked for, in multiples of step 0’s own peak. '
        "Point at a dot for its figures. A dashed dot is void: the generator was the limit.</p>",
        _faults(steps),
        _outcomes(steps),
        _changes(steps),
        f"<h2>Each mend alone, and each left out</h2>{runs(document['variants'])}" if document["variants"] else "",
        f"<h2>Every run</h2>{runs(steps)}",
        cross_check.section(document["cross_check"]) if "cross_check" in document else "",
        method(document),
    ]
    title = f"Launch day on {document['database']}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text()}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _void(document: Document) -> str:
    """What must be known before any figure is read: runs in which the generator was the limit."""
    told = [
        f"<li>{escape(step['title'])} at {load['factor']:g} ×: {escape(load.get('void_reason', 'late'))}</li>"
        for step in [*document["steps"], *document["variants"]]
        for load in step["loads"]
        if load["void"]
    ]
    count = sum(len(step["loads"]) for step in [*document["steps"], *document["variants"]])
    if not told:
        return ""
    return (
        f'<section class="card void-runs"><b>{len(told)} of {count} runs {"is" if len(told) == 1 else "are"} void.</b> The '
        f"generator was the limit there, so they say nothing about the service.<ul>{''.join(told)}</ul></section>"
    )


def _opening(document: Document) -> str:
    first, last = document["steps"][0], document["steps"][-1]
    was, now = _at(first, 5.0), _at(last, 5.0)
    peak = document["peak_per_s"]
    return (
        f'<div class="eyebrow">{MARK} Launch day, rebuilt and mended</div>'
        f"<h1>Five times the crowd: <em>{was['goodput_per_s']:.1f}</em> good answers a second as it was, "
        f"<strong>{now['goodput_per_s']:.1f}</strong> mended.</h1>"
        '<p class="lede">An ordinary service for web statistics, written as such services are written: FastAPI, SQLAlchemy, '
        f"{escape(document['database'])}. At its best it gives {peak:.1f} good answers a second. Then more people come than "
        "that. Each step below changes a few lines of the step before it; every step met the same crowds.</p>"
        '<section class="card heads">'
        + _head("Good a second, at 5 ×", f"{was['goodput_per_s']:.1f}", f"{now['goodput_per_s']:.1f}")
        + _head("Share of the peak kept", f"{100 * was['goodput_per_s'] / peak:.0f} %", _share(now, peak))
        + _head("Back after 5 ×", recovery(was), recovery(now))
        + _head("Lost counts, all loads", *(str(sum(r["lost_updates"] for r in s["loads"])) for s in (first, last)))
        + _head("Deadlocks, all loads", *(str(sum(r["deadlocks"] for r in s["loads"])) for s in (first, last)))
        + "</section>"
    )


def _head(what: str, was: str, now: str) -> str:
    return f'<div class="head"><small>{what}</small><b class="was">{was}</b><i>→</i><b class="is">{now}</b></div>'


def _faults(steps: Sequence[StepResult]) -> str:
    heads = "".join(f'<th class="n">{badge(step)}<br>{escape(step["title"])}</th>' for step in steps)
    rows = []
    for fault in FAULTS:
        cells = "".join(
            f'<td class="n"><span class="{"cured" if fault.is_cured(step["loads"]) else "fell"}">'
            f"{escape(fault.shown(step['loads']))}</span></td>"
            for step in steps
        )
        name = cured_by(fault, steps)
        if name is None:
            cure = "not yet"
        elif name == steps[0]["name"]:
            cure = "did not happen in this run"
        else:
            cure = f"step {name}: {next(step['title'] for step in steps if step['name'] == name)}"
        rows.append(f"<tr><td>{fault.name}<small>{fault.explained}</small></td>{cells}<td>{escape(cure)}</td></tr>")
    return (
        "<h2>What fell, and what mended it</h2><p>Over all loads of a step together.</p>"
        f'<div class="card scroll faults"><table><thead><tr><th>fault</th>{heads}<th>gone from</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _outcomes(steps: Sequence[StepResult]) -> str:
    panels = "".join(
        f'<section class="card panel {plot.css_class(step)}"><h3>{badge(step)}{escape(step["title"])}</h3>'
        f"{plot.outcomes(step)}</section>"
        for step in steps
    )
    legend = "".join(f'<li class="{key}"><i></i>{words}</li>' for key, words in plot.OUTCOMES)
    return (
        "<h2>What became of a hundred who came</h2><p>One bar a load, from half of step 0’s peak to ten times it.</p>"
        f'<ul class="legend">{legend}</ul><div class="panels">{panels}</div>'
    )


def _changes(steps: Sequence[StepResult]) -> str:
    parts = ["<h2>The steps, and the code that each changes</h2>"]
    for step in steps:
        told = next(other for other in STEPS if other.name == step["name"])
        code, added, cut = change(told)
        what = f"the whole service <span>{added} lines</span>"
        if told.before is not None:
            what = f"the change to step {told.before} <span>+{added} −{cut} lines</span>"
        parts.append(
            f'<section class="card step {plot.css_class(step)}"><header><h3>{badge(step)}{escape(step["title"])}</h3>'
            f"<p>{escape(told.tells)}</p></header>"
            f"<details{' open' if told.before else ''}><summary>{what}</summary>{code}</details></section>"
        )
    return "".join(parts)


def _at(step: StepResult, factor: float) -> Load:
    return next(load for load in step["loads"] if load["factor"] == factor)


def _share(load: Load, peak_per_s: float) -> str:
    return f"{100 * load['goodput_per_s'] / peak_per_s:.0f} %"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(json.loads(Path(sys.argv[1]).read_text())))
