"""One run: a service of its own behind a door, on one core, and a crowd from the other."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from argon2 import PasswordHasher

from benchmarks.admission.crowd import KINDS, WARM_UP_S, Met, Stream, Visit, send
from benchmarks.admission.service import PASSWORD, TENANTS, Database
from benchmarks.report import percentile
from benchmarks.server import Server, free_port, running

DASHBOARD_S = 0.022
"""What a dashboard is to cost of a core: at least 20 ms."""

FEW_SENDERS = 60
"""Before a limit that counts connections, as long as they are answered soon: else it would refuse at the peak already."""

TRIAL_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Result:
    """What one run gave. `work` is the CPU time of good answers, in seconds a second: cheap answers count for little."""

    door: str
    factor: float
    met: Met
    visits: Sequence[Visit]
    seconds: float
    goodput_per_s: float
    work: float
    idle_mb: float
    most_mb: float

    def p99_ms(self, kind: str = "dashboard") -> float:
        """Of those of one kind that were let in and answered right, from the intended start."""
        return percentile([visit.took for visit in self.visits if visit.kind == kind and visit.right], 0.99)

    def share_of(self, outcome: str) -> float:
        """Which part of the people was *good*, *refused*, *late* (right, and too late) or *lost* (no right answer)."""
        count = sum(_outcome_of(visit) == outcome for visit in self.visits)
        return count / max(1, len(self.visits))


class Bench:
    """The database, the cores, and what each kind of work costs on them."""

    def __init__(self, directory: Path, events_per_s: float, is_urgent: bool) -> None:
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise SystemExit("this needs two cores: one for the service, one for the generator")
        self._server_cores, self._crowd_cores = cores[:1], cores[1:2]
        self._directory = directory
        self._is_urgent = is_urgent
        if is_urgent:
            Path("/proc/self/autogroup").write_text("-10")  # Linux shares cores out by session first (sched(7))
        self.events_per_s = events_per_s
        self.database = Database(directory / "events.sqlite3")
        self.database.fill(_rows_for(directory, DASHBOARD_S))
        self.database.answer()
        self.cost_s = self._costs()
        self.sums = [self._sum_of(tenant) for tenant in range(TENANTS)]

    @property
    def mean_cost_s(self) -> float:
        """What one of the crowd costs on average, of a core."""
        return sum(self.cost_s[kind] for kind in KINDS) / len(KINDS)

    def run(
        self, door: str, rate_per_s: float, seconds: float, *, factor: float = 0.0, retries: int = 0,
        others: Sequence[Stream] = (),
    ) -> Result:  # fmt: skip
        """Send `rate_per_s` people for `seconds` after a warm-up, with events underneath and `others` besides."""
        streams = [Stream("people", rate_per_s, WARM_UP_S + seconds), *others]
        until_s = max(stream.starts_s + stream.seconds for stream in streams)
        senders = FEW_SENDERS if door == "limit-concurrency" else None
        if self.events_per_s:
            streams.append(Stream("events", self.events_per_s, until_s, at_first=senders))
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.admission.service", door, str(port), str(self.database.path)]
        with running(command, port, "/cached/0", self._directory, cores=self._server_cores) as server:
            plan = {"base": f"http://127.0.0.1:{port}", "password": PASSWORD, "sums": self.sums}
            idle_mb = server.rss_mb()
            met = send(
                streams, plan, self._directory, cores=self._crowd_cores, is_urgent=self._is_urgent, retries=retries
            )
            most_mb = _most_mb(server)
        visits = met.of("people", WARM_UP_S)
        good = [visit for visit in visits if visit.is_good]
        work = sum(self.cost_s[visit.kind] for visit in good) / seconds
        return Result(door, factor, met, visits, seconds, len(good) / seconds, work, idle_mb, most_mb)

    def _costs(self) -> dict[str, float]:
        hasher, hashed = PasswordHasher(), self.database.hashed()
        return {
            "dashboard": _cpu_s(lambda: self.database.dashboard(1)),
            "sign-in": _cpu_s(lambda: hasher.verify(hashed, PASSWORD)),
            "critical": _cpu_s(lambda: self.database.dashboard(1, self.database.rows // 10)),
            "cached": 0.0002,  # a whole request of uvicorn's and k6's size; nothing is made
        }

    def _sum_of(self, tenant: int) -> int:
        return int(json.loads(self.database.cached()[str(tenant)])["sum"])


def _outcome_of(visit: Visit) -> str:
    if visit.is_good:
        return "good"
    if visit.is_refused:
        return "refused"
    return "late" if visit.right else "lost"


def _rows_for(directory: Path, cost_s: float) -> int:
    """How many events make a dashboard cost that much here."""
    trial = Database(directory / "trial.sqlite3")
    trial.fill(TRIAL_ROWS)
    rows = TRIAL_ROWS
    for _ in range(3):  # the cost is not quite linear
        rows = min(TRIAL_ROWS, int(rows * cost_s / _cpu_s(partial(trial.dashboard, 1, rows))))
    return rows


def _cpu_s(work: Callable[[], object]) -> float:
    """The CPU seconds of one, the median of some."""
    spent = []
    for _ in range(9):
        began_s = time.thread_time()
        work()
        spent.append(time.thread_time() - began_s)
    return statistics.median(spent)


def _most_mb(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
