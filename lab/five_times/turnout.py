"""Claim b: Turnout at its own peak and at five times it, whole and with one protection off at a time."""

from __future__ import annotations

import http.client
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lab.crowd import Asked, Came, coming, expected
from lab.five_times import server
from lab.five_times.conservation import settled, stored
from lab.five_times.crowd import GOOD_WITHIN_MS, SITES
from lab.five_times.document import Tried, Turnout, TurnoutRun
from lab.five_times.outcomes import OUTCOMES, count, outcome_of
from lab.launch_day import recovery
from lab.launch_day.requests import percentile
from lab.launch_day.run import Plan
from lab.processes import Cores, apart
from turnout.without import PROTECTIONS

PEOPLE = Path(__file__).with_name("people.py")
CLOSED_USERS = 16
RISE, MOST_TRIES = 1.3, 12
KEPT_UP = 0.9
"""Turnout keeps up where at least this share of what was offered was good. The search ends when it did not twice in a row:
once may be the machine's doing."""
FACTORS = (1.0, 5.0)
MOST_LATE_MS = 250.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Protections:
    """All runs of Turnout, each on its own copy of one data directory."""

    directory: Path
    seed_number: int
    plan: Plan
    events_per_site: int
    say: Say
    cores: Cores = field(default_factory=apart)

    def document(self) -> Turnout:
        """Run everything."""
        self.say("claim b: filling Turnout …")
        key = server.fill(self.directory / "template", self.seed_number, self.events_per_site)
        tried = self._search(key)
        # Not where it fell behind: there most of what is good are events, which cost a tenth of a dashboard.
        kept_up = [one for one in tried if one["good_share"] >= KEPT_UP] or tried
        peak = max(one["goodput_per_s"] for one in kept_up)
        self.say(f"claim b: Turnout's peak is {peak:.1f} good answers a second")
        runs = [
            self._run(key, without, factor, factor * peak, f"{without or 'whole'}-{factor:g}")
            for factor in FACTORS
            for without in (None, *PROTECTIONS)
        ]
        return {"peak_per_s": round(peak, 2), "tried": tried, "runs": runs}

    def _search(self, key: str) -> list[Tried]:
        """People in turn, then open arrivals at rising rates: with more people more is shared, so the peak moves up."""
        seconds = self.plan.load_s
        directory = self.directory / "peak"
        with self._serving(directory, None) as running:
            asked = self._asked(running.port, directory, seconds, users=CLOSED_USERS)
            with coming(asked, directory / "closed") as people:
                tried = [_tried(people.wait(), seconds, 0.0)]
            rate, failed = tried[0]["goodput_per_s"], 0
            self.say(f"  people in turn: {rate:.1f}/s good")
            for number in range(MOST_TRIES):
                asked = self._asked(running.port, directory, seconds, rate=rate)
                with coming(asked, directory / f"open-{number}") as people:
                    tried.append(_tried(people.wait(), seconds, rate))
                self.say(f"  {rate:.1f}/s offered: {tried[-1]['goodput_per_s']:.1f} good")
                failed = failed + 1 if tried[-1]["goodput_per_s"] < KEPT_UP * rate else 0
                if failed == 2:
                    break
                rate *= RISE
        return tried

    def _run(self, key: str, without: str | None, factor: float, rate: float, name: str) -> TurnoutRun:
        directory, seconds = self.directory / name, self.plan.load_s
        with self._serving(directory, without) as running:
            asked = self._asked(running.port, directory, seconds, rate=rate)
            with coming(asked, directory / "crowd") as people:
                ended_at = people.ends_at()
                time.sleep(max(0.0, ended_at - time.time()))
                session = (directory / "session").read_text()
                probe = partial(opens_dashboard, running.port, session)
                recovery_s = recovery.watch(probe, ended_at=ended_at, watch_s=self.plan.watch_s)
                came = people.wait()
            acknowledged = [int(line) for line in (directory / "acknowledged").read_text().split()]
            events = settled(acknowledged, lambda: stored(running.port, key))
        shutil.rmtree(directory / "data")
        outcomes = count(came.requests)
        kinds = {kind: [sent for sent in came.requests if sent.name == kind] for kind in GOOD_WITHIN_MS}
        took = sorted(sent.took_ms for sent in came.requests if outcome_of(sent) != "refused")
        planned = expected(rate, seconds)
        sent_count = len(came.requests)
        told: TurnoutRun = {
            "without": without,
            "factor": factor,
            "offered_per_s": round(rate, 2),
            "goodput_per_s": round(outcomes["good"] / seconds, 2),
            "outcomes": outcomes,
            "by_kind": {kind: count(requests) for kind, requests in kinds.items()},
            "p50_ms": round(percentile(took, 0.5)),
            "p99_ms": round(percentile(took, 0.99)),
            "recovery_s": None if recovery_s is None else round(recovery_s, 2),
            "watched_s": self.plan.watch_s,
            "lateness_p99_ms": round(percentile(sorted(sent.late_ms for sent in came.requests), 0.99), 1),
            "void": bool(came.void_reason),
            "void_reason": came.void_reason,
            "accounted": {
                "planned": planned,
                "sent": sent_count,
                "unsent": came.unsent,
                "holds": sent_count + came.unsent == planned and sum(outcomes.values()) == sent_count,
            },
            "events": {
                "acknowledged": events.acknowledged,
                "missing": events.missing,
                "doubled": events.doubled,
                "unacknowledged": events.unacknowledged,
                "holds": events.is_kept,
            },
        }
        self.say(_said(told))
        return told

    def _serving(self, directory: Path, without: str | None) -> AbstractContextManager[server.Running]:
        data = directory / "data"
        shutil.copytree(self.directory / "template", data)
        return server.serving(data, directory / "server.log", without, self.cores.target)

    def _asked(self, port: int, directory: Path, seconds: float, *, rate: float = 0.0, users: int = 0) -> Asked:
        url, data = f"http://127.0.0.1:{port}", {"directory": str(directory)}
        cores = tuple(self.cores.generator)
        return Asked(str(PEOPLE), url, seconds, rate, users, self.seed_number, MOST_LATE_MS, data, cores)


def opens_dashboard(port: int, session: str) -> bool:
    """Open one dashboard, and tell whether it was whole and in time."""
    limit_s = GOOD_WITHIN_MS["dashboard"] / 1000
    began_at = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
    try:
        connection.request("GET", f"/sites/{SITES[0]}?period=7d", headers={"Cookie": session, "Accept": "text/html"})
        answer = connection.getresponse()
        is_right = answer.status == 200 and b"data-card-url" not in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return is_right and time.monotonic() - began_at <= limit_s


def _tried(came: Came, seconds: float, rate: float) -> Tried:
    good = count(came.requests)["good"]
    return {
        "offered_per_s": round(rate, 2),
        "goodput_per_s": round(good / seconds, 2),
        "good_share": round(good / max(1, len(came.requests)), 4),
    }


def _said(run: TurnoutRun) -> str:
    back = "not back" if run["recovery_s"] is None else f"back after {run['recovery_s']:.1f} s"
    outcomes = ", ".join(f"{run['outcomes'][outcome]} {outcome}" for outcome in OUTCOMES if run["outcomes"][outcome])
    void = f", VOID: {run['void_reason']}" if run["void"] else ""
    events = run["events"]
    return (
        f"  {'whole' if run['without'] is None else 'without ' + run['without']} at {run['factor']:g} x: "
        f"{run['goodput_per_s']:.1f}/s good of {run['offered_per_s']:.1f} ({outcomes}), {back}; of {events['acknowledged']} "
        f"acknowledged events {events['missing']} missing, {events['doubled']} doubled{void}"
    )
