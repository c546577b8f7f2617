"""The crowd: k6 with open arrivals, in one or more streams, and what it met."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import percentile

SCRIPT = Path(__file__).with_name("crowd.js")
KINDS = [
    "dashboard",
    "cached",
    "dashboard",
    "dashboard",
    "sign-in",
    "dashboard",
    "dashboard",
    "cached",
    "dashboard",
    "dashboard",
]
PATIENCE_S = {"dashboard": 2.0, "cached": 2.0, "critical": 2.0, "sign-in": 8.0}
"""Who has no answer by then has left. A sign-in may take 60 s by the goals; runs that wait so long would take an hour."""

GOOD_WITHIN_MS = {"dashboard": 1_000.0, "cached": 1_000.0, "critical": 1_000.0, "sign-in": 8_000.0}
MOST_LATE_MS = 10.0
MOST_DROPPED = 0.01
USERS_AT_MOST = 3_000
START_S = 60.0
WARM_UP_S = 2.0
"""The beginning of each run, left out: connections are opened, and the gate has no service time yet."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of open arrivals: *people*, *after*, *noisy*, *critical* or *events*; times in seconds."""

    name: str
    rate_per_s: float
    seconds: float
    starts_s: float = 0.0
    at_first: int | None = None
    """How many users k6 makes beforehand, each with a connection of its own; all that may be needed where None. Later ones
    cost it time in the middle of the run."""

    def scenario(self, retries: int) -> dict[str, object]:
        """As k6 wants it."""
        waits_s = 1.0 if self.name == "events" else sum(PATIENCE_S[kind] for kind in KINDS) / len(KINDS) + retries * 0.2
        users = min(USERS_AT_MOST, int(self.rate_per_s * waits_s) + 20)
        return {
            "executor": "constant-arrival-rate",
            "rate": round(self.rate_per_s * 100),
            "timeUnit": "100s",
            "duration": f"{self.seconds:g}s",
            "startTime": f"{self.starts_s:g}s",
            "preAllocatedVUs": users if self.at_first is None else min(users, self.at_first),
            "maxVUs": users,
            "gracefulStop": f"{max(PATIENCE_S.values()) + 1:g}s",
            "exec": "event" if self.name == "events" else "people",
        }


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's request. Times are in milliseconds from the intended start; status 0 is no answer."""

    stream: str
    n: int
    kind: str
    tenant: int
    intended: float
    late: float
    took: float
    tries: int
    served: float
    status: int
    right: bool
    error: int

    @property
    def is_good(self) -> bool:
        """Answered right and in time."""
        return self.right and self.took <= GOOD_WITHIN_MS[self.kind]

    @property
    def is_refused(self) -> bool:
        """Told to come back."""
        return self.status in (429, 503)


@dataclass(frozen=True, slots=True)
class Met:
    """What a crowd met."""

    visits: Sequence[Visit]
    dropped: int
    iterations: int
    events: Mapping[str, float]

    @property
    def late_p99_ms(self) -> float:
        """How late the generator sent after the warm-up, the worse of people and events."""
        return max(percentile([v.late for v in self.of("people", WARM_UP_S)], 0.99), self.events["late_p99_ms"])

    @property
    def is_void(self) -> bool:
        """Whether the generator was the limit, and not what it measured."""
        return self.late_p99_ms > MOST_LATE_MS or self.dropped > MOST_DROPPED * (self.iterations + self.dropped)

    def of(self, stream: str, from_s: float = 0.0, until_s: float = 1e9) -> list[Visit]:
        """The visits of a stream meant for a stretch of it, in order."""
        chosen = sorted((v for v in self.visits if v.stream == stream), key=lambda v: v.n)
        if not chosen:
            return []
        zero = chosen[0].intended
        return [v for v in chosen if from_s * 1000 <= v.intended - zero < until_s * 1000]


class NoCrowd(RuntimeError):
    """k6 did not run; the message has what it wrote."""


def send(
    streams: Sequence[Stream],
    plan: Mapping[str, object],
    directory: Path,
    *,
    cores: Sequence[int],
    is_urgent: bool = False,
    retries: int = 0,
) -> Met:
    """Send a crowd from `cores` and wait until all have their answer or have left."""
    asked, seen, told = directory / "plan.json", directory / "visits.jsonl", directory / "summary.json"
    seen.unlink(missing_ok=True)
    asked.write_text(
        json.dumps(
            {
                **plan,
                "kinds": KINDS,
                "patience_s": PATIENCE_S,
                "retries": retries,
                "warm_up_s": WARM_UP_S,
                "rates": {stream.name: round(stream.rate_per_s * 100) / 100 for stream in streams},
                "scenarios": {stream.name: stream.scenario(retries) for stream in streams},
            }
        )
    )
    seconds = max(stream.starts_s + stream.seconds for stream in streams) + max(PATIENCE_S.values())
    options = ["--quiet", "--no-usage-report", "--log-format=raw", f"--console-output={seen}", "--address=127.0.0.1:0"]
    with (directory / "k6.log").open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("k6")), "run", *options, str(SCRIPT)],
            stdout=output,
            stderr=output,
            env=os.environ | {"PLAN": str(asked), "SUMMARY": str(told), "GOMAXPROCS": str(len(cores)), "GOGC": "400"},
            preexec_fn=lambda: settle(cores, is_urgent),
        )
    try:
        process.wait(seconds + START_S)
    except subprocess.TimeoutExpired as late:
        raise NoCrowd("k6 did not end") from late
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0 or not seen.exists():
        raise NoCrowd((directory / "k6.log").read_text()[-2000:])
    summary = json.loads(told.read_text())
    visits = [Visit(**json.loads(line)) for line in seen.read_text().splitlines()]
    return Met(visits, summary["dropped"], summary["iterations"], summary["events"])


def settle(cores: Sequence[int], is_urgent: bool) -> None:
    """Bind this process to `cores`, where `is_urgent` before all others: it needs a part of a core only, but in time."""
    os.sched_setaffinity(0, cores)
    if is_urgent:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
