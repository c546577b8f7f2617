"""Brings what is told of the launch day up to a run's figures: `python -m lab.launch_day.record` after

    uv run --group lab python -m lab.launch_day --json lab/launch_day/results/postgresql.json

It writes the tables of docs/explanation/launch-day.md between their marks, and takes the pictures of the page in
docs/images, for which it needs Chromium: `uv run --group lab --group browser --with pillow python -m lab.launch_day.record`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from lab.launch_day import cross_check, page
from lab.launch_day.document import Document, Load, StepResult
from lab.launch_day.tables import recovery
from lab.record import IMAGES, ROOT, between_marks, picture

FIGURES = ROOT / "lab" / "launch_day" / "results" / "postgresql.json"
TOLD = ROOT / "docs" / "explanation" / "launch-day.md"
BEGIN, END = "<!-- measured: written by lab.launch_day.record -->", "<!-- /measured -->"


def measured(document: Document) -> str:
    """The figures of a run as Markdown."""
    steps, variants = document["steps"], document["variants"]
    lines = [
        f"One {'quick' if document['quick'] else 'full'} run on {document['machine']}, {document['database']}, commit "
        f"{document['commit'].rstrip('+')}, seed {document['seed']}, {document['finished'][:10]}.",
        f"Peak of step 0: {document['peak_per_s']:.1f} good answers a second. Good answers a second (and p50; back after):",
        "",
        *_by_load(steps),
        "",
        "Over all loads of a step:",
        "",
        *_in_all(steps),
    ]
    if variants:
        lines += ["", "Each mend alone and each left out:", "", *_by_load(variants), "", *_in_all(variants)]
    if "cross_check" in document:
        lines += ["", cross_check.sentence(document["cross_check"])]
    return "\n".join(lines)


def written(told: str, document: Document) -> str:
    """The page `told` with these figures between its marks. Raises ValueError where it has none."""
    return between_marks(told, BEGIN, END, measured(document))


def _by_load(steps: Sequence[StepResult]) -> Iterator[str]:
    factors = [load["factor"] for load in steps[0]["loads"]]
    yield f"| step | {' | '.join(f'{factor:g} ×' for factor in factors)} |"
    yield "|---" * (len(factors) + 1) + "|"
    for step in steps:
        yield f"| {_name(step)} | {' | '.join(map(_cell, step['loads']))} |"


def _cell(load: Load) -> str:
    void = " (void)" if load["void"] else ""
    return f"{load['goodput_per_s']:.1f}{void} ({load['p50_ms'] / 1000:.1f} s; {recovery(load)})"


def _in_all(steps: Sequence[StepResult]) -> Iterator[str]:
    yield (
        "| step | lost updates | deadlocks: database, memory | left without an answer | time-outs of the pool | errors "
        "| refused at once |"
    )
    yield "|---|---|---|---|---|---|---|"
    for step in steps:
        loads = step["loads"]
        sent = sum(load["sent"] for load in loads)
        errors = sum(load["errors"] + load["wrong"] for load in loads)
        yield (
            f"| {_name(step)} | {sum(load['lost_updates'] for load in loads)} of "
            f"{sum(load['served_views'] for load in loads)} | {sum(load['database_deadlocks'] for load in loads)}, "
            f"{sum(load['memory_deadlocks'] for load in loads)} | {sum(load['timeouts'] for load in loads)} of {sent} | "
            f"{sum(load['pool_timeouts'] for load in loads)} | {errors} | {sum(load['refused'] for load in loads)} |"
        )


def _name(step: StepResult) -> str:
    return f"{step['name']} {step['title']}" if len(step["name"]) <= 3 else step["title"]


if __name__ == "__main__":
    figures: Document = json.loads(FIGURES.read_text())
    TOLD.write_text(written(TOLD.read_text(), figures))
    picture(page.draw(figures), "launch-day", IMAGES, plot=".plot")
