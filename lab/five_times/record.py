"""Brings what is told of five times up to a run's figures: `python -m lab.five_times.record` after

    uv run --group lab python -m lab.five_times --json lab/five_times/results/two-cores.json

It writes the table of docs/explanation/five-times.md between its marks, and takes the pictures of the page in docs/images,
for which it needs Chromium: `uv run --group lab --group browser --with pillow python -m lab.five_times.record`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from statistics import median

from lab.five_times import page
from lab.five_times.document import Document
from lab.five_times.page import goodputs
from lab.record import IMAGES, ROOT, between_marks, picture

FIGURES = ROOT / "lab" / "five_times" / "results" / "two-cores.json"
TOLD = ROOT / "docs" / "explanation" / "five-times.md"
BEGIN, END = "<!-- measured: written by lab.five_times.record -->", "<!-- /measured -->"


def measured(document: Document) -> str:
    """The figures of a run as Markdown."""
    return "\n".join([*_service(document), "", *_turnout(document)])


def written(told: str, document: Document) -> str:
    """The page `told` with these figures between its marks. Raises ValueError where it has none."""
    return between_marks(told, BEGIN, END, measured(document))


def _service(document: Document) -> Iterator[str]:
    service = document["service"]
    yield (
        f"One {'quick' if document['quick'] else 'full'} run on {document['machine']}, {service['database']}, commit "
        f"{document['commit'].rstrip('+')}, seed {document['seed']}, {document['finished'][:10]}."
    )
    yield f"Step 0 first fails at {service['first_fails_per_s']:.1f} people a second."
    yield ""
    yield "| good answers a second (median of the rounds) | 1 × | 5 × | lost updates, all loads |"
    yield "|---|---|---|---|"
    for step in ("0", "5"):
        runs = [run for run in service["runs"] if run["step"] == step]
        lost = sum(run["load"]["lost_updates"] for run in runs)
        served = sum(run["load"]["served_views"] for run in runs)
        cells = " | ".join(f"{median(goodputs(runs, step, factor)):.1f}" for factor in (1.0, 5.0))
        yield f"| step {step}, {runs[0]['title']} | {cells} | {lost} of {served} |"


def _turnout(document: Document) -> Iterator[str]:
    turnout = document["turnout"]
    yield f"Turnout's own peak: {turnout['peak_per_s']:.1f} good answers a second."
    yield ""
    yield "| Turnout | good/s at 1 × | good/s at 5 × | p99 at 5 × | back after 5 × | acknowledged events: missing, doubled |"
    yield "|---|---|---|---|---|---|"
    for without in (None, *page.WITHOUT):
        one, five = (
            next(run for run in turnout["runs"] if run["without"] == without and run["factor"] == factor)
            for factor in (1.0, 5.0)
        )
        back = f"> {five['watched_s']:g} s" if five["recovery_s"] is None else f"{five['recovery_s']:.1f} s"
        kept = sum(run["events"]["acknowledged"] for run in (one, five))
        missing = sum(run["events"]["missing"] for run in (one, five))
        doubled = sum(run["events"]["doubled"] for run in (one, five))
        marks = [" (void)" if run["void"] else "" for run in (one, five)]
        name = "whole" if without is None else page.WITHOUT[without][0]
        yield (
            f"| {name} | {one['goodput_per_s']:.1f}{marks[0]} | {five['goodput_per_s']:.1f}{marks[1]} | "
            f"{five['p99_ms']:,} ms | {back} | {missing}, {doubled} of {kept} |"
        )


if __name__ == "__main__":
    figures: Document = json.loads(FIGURES.read_text())
    TOLD.write_text(written(TOLD.read_text(), figures))
    picture(page.draw(figures), "five-times", IMAGES, plot=".bars")
