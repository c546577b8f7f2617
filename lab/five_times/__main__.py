"""`uv run --group lab python -m lab.five_times`: the two claims of "five times", each with its conservation checks.

Exit status: 0 done, 1 something was not accounted for or not kept, 2 bad arguments, 3 the generator was the limit in some
run, so that its figures are void.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import commit, machine
from lab import commands
from lab.five_times import page
from lab.five_times.document import Document
from lab.five_times.service import Comparison
from lab.five_times.turnout import Protections
from lab.launch_day.run import Plan

FULL = Plan(load_s=10.0, watch_s=30.0)
QUICK = Plan(load_s=5.0, watch_s=10.0)
ROUNDS, QUICK_ROUNDS = 3, 1
EVENTS_PER_SITE, QUICK_EVENTS_PER_SITE = 100_000, 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both claims and write what was asked for."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    for path in (asked.html, asked.json):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"{path}: there is no directory {path.absolute().parent}")
    commands.end_on_signals()
    with tempfile.TemporaryDirectory(prefix="five-times-") as name:
        document = run(Path(name), asked.seed, is_quick=asked.quick)
    if asked.json:
        asked.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if asked.html:
        asked.html.write_text(page.draw(document))
    for told in (*broken(document), *void(document)):
        commands.say(told)
    return 1 if any(broken(document)) else 3 if any(void(document)) else 0


def run(directory: Path, seed: int, *, is_quick: bool) -> Document:
    """Both claims, one after the other."""
    measured = commit()  # now: somebody may work on while it runs
    plan = QUICK if is_quick else FULL
    (directory / "service").mkdir()
    service = Comparison(
        directory / "service", seed, plan, QUICK_ROUNDS if is_quick else ROUNDS, commands.say
    ).document()
    events = QUICK_EVENTS_PER_SITE if is_quick else EVENTS_PER_SITE
    (directory / "turnout").mkdir()
    turnout = Protections(directory / "turnout", seed, plan, events, commands.say).document()
    return {
        "what": "lab.five_times",
        "machine": machine(),
        "commit": measured,
        "seed": seed,
        "quick": is_quick,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_s": plan.load_s,
        "watch_s": plan.watch_s,
        "service": service,
        "turnout": turnout,
    }


def broken(document: Document) -> Iterator[str]:
    """What was not accounted for, or not kept by a mended service."""
    for run in document["service"]["runs"]:
        what = f"step {run['step']} at {run['load']['factor']:g} x"
        if not run["accounted"]["holds"]:
            yield f"BROKEN: {what}: not every request is accounted for"
        if run["step"] != "0" and run["load"]["lost_updates"]:
            yield f"BROKEN: {what}: {run['load']['lost_updates']} views were answered and not counted"
    for one in document["turnout"]["runs"]:
        what = f"Turnout, {'whole' if one['without'] is None else 'without ' + one['without']}, at {one['factor']:g} x"
        if not one["accounted"]["holds"]:
            yield f"BROKEN: {what}: not every request is accounted for"
        if not one["events"]["holds"]:
            yield f"BROKEN: {what}: {one['events']['missing']} events missing, {one['events']['doubled']} doubled"


def void(document: Document) -> Iterator[str]:
    """The runs in which the generator was the limit."""
    for run in document["service"]["runs"]:
        if run["load"]["void"]:
            reason = run["load"].get("void_reason", "")
            yield f"VOID: step {run['step']} at {run['load']['factor']:g} x: {reason}"
    for one in document["turnout"]["runs"]:
        if one["void"]:
            yield f"VOID: Turnout, {one['without'] or 'whole'}, at {one['factor']:g} x: {one['void_reason']}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.five_times", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of each, 5 s of load, smaller data")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--seed", type=commands.seed, default=1, metavar="N", help="of the data and the crowds (1)")
    return parser


if __name__ == "__main__":
    commands.run(main)
