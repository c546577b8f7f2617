"""The tables of runs on the page: a row for each load of each step."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from lab.launch_day import plot
from lab.launch_day.document import Load, StepResult

HEADS = (
    "good",
    "p50",
    "p99",
    "back after",
    "lost",
    "deadlocks",
    "pool time-outs",
    "left",
    "refused",
    "errors",
    "still at work",
)


def runs(steps: Sequence[StepResult]) -> str:
    """Every run of these steps."""
    heads = "".join(f'<th class="n">{head}</th>' for head in HEADS)
    return (
        f'<div class="card scroll"><table><thead><tr><th>step</th><th class="n">load</th>{heads}</tr></thead>'
        f"<tbody>{''.join(map(_rows, steps))}</tbody></table></div>"
    )


def badge(step: StepResult) -> str:
    """A step's number in its colour; variants have none."""
    return f'<span class="badge {plot.css_class(step)}">{step["name"]}</span>' if len(step["name"]) <= 3 else ""


def recovery(load: Load) -> str:
    """After how long it was back."""
    return f"> {load['watched_s']:g} s" if load["recovery_s"] is None else f"{load['recovery_s']:.1f} s"


def _rows(step: StepResult) -> str:
    return "".join(_row(step, load, is_first=n == 0) for n, load in enumerate(step["loads"]))


def _row(step: StepResult, load: Load, *, is_first: bool) -> str:
    figures = (
        f"{load['goodput_per_s']:.1f}/s",
        f"{load['p50_ms']:,} ms",
        f"{load['p99_ms']:,} ms",
        recovery(load),
        f"{load['lost_updates']} of {load['served_views']}",
        str(load["deadlocks"]),
        str(load["pool_timeouts"]),
        str(load["timeouts"]),
        str(load["refused"]),
        str(load["errors"] + load["wrong"]),
        str(load["backlog"]),
    )
    name = f"{badge(step)}{escape(step['title'])}" if is_first else ""
    void = ", void" if load["void"] else ""
    cells = "".join(f'<td class="n">{figure}</td>' for figure in figures)
    return (
        f'<tr class="{"first " if is_first else ""}{plot.css_class(step)}"><td class="who">{name}</td>'
        f'<td class="n">{load["factor"]:g} ×<small>{load["offered_per_s"]:.1f}/s{void}</small></td>{cells}</tr>'
    )
