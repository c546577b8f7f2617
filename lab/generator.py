"""Flashcrowd in a process of its own, which keeps every request: `python -m lab.generator PLAN.json DIRECTORY`.

It writes `began.json` when the run has begun, and at its end `requests.jsonl` (one line a request) and `result.json`.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import uvloop

from flashcrowd.arrivals.closed import Closed
from flashcrowd.arrivals.constant import Constant
from flashcrowd.engine import target
from flashcrowd.engine.plan import Limits, Plan
from flashcrowd.engine.run import Finished, Progress, Run
from flashcrowd.report.json import written
from flashcrowd.users import crowd
from lab.crowd import Asked, Sent

MOST_USERS = 18_000
"""Under way at once, each with a connection: the usual 20,000 open files, less some. Five seconds of 3,600 a second."""


def main(plan: Path, directory: Path) -> None:
    """Send what is planned, and write what came of it."""
    asked = Asked(**json.loads(plan.read_text()))
    finished = uvloop.run(_run(asked, directory))
    if finished.one_in != 1:
        raise SystemExit(f"of {finished.result.requests} requests only every {finished.one_in}th was kept")
    lines = [
        Sent(
            sample.name,
            intended_ms=sample.intended_s * 1000,
            late_ms=sample.lateness_s * 1000,
            took_ms=sample.latency_s * 1000,
            status=sample.status,
            outcome=sample.outcome,
        )
        for sample in sorted(finished.samples, key=lambda sample: sample.intended_s)
    ]
    (directory / "requests.jsonl").write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    (directory / "result.json").write_text(written(finished.result))


async def _run(asked: Asked, directory: Path) -> Finished:
    arrivals = Closed(asked.users, asked.seconds) if asked.users else Constant(asked.rate_per_s, asked.seconds)
    plan = Plan(
        target=target.parse(asked.url),
        url=asked.url,
        users=crowd.load(asked.file),
        users_name=Path(asked.file).name,
        arrivals=arrivals,
        seed=asked.seed,
        data=asked.data,
        limits=Limits(MOST_USERS, MOST_USERS, lateness_s=asked.most_late_ms / 1000),
    )
    began = directory / "began.json"

    def note(progress: Progress) -> None:
        if not began.exists():
            fresh = began.with_suffix(".new")
            fresh.write_text(json.dumps(time.time() - progress.at_s))
            fresh.replace(began)

    return await Run(plan, watch=note).execute()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
