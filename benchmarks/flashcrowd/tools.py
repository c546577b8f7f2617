"""The three generators as commands, and what each says of itself."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SERVER_CORE, GENERATOR_CORE = 0, 1
LONGEST_S = 300.0


@dataclass(frozen=True)
class Ran:
    """One run of one tool."""

    requests: int
    failed: int
    p99_ms: float
    cpu_s: float
    """Of the whole command, its start included."""
    peak_mb: float
    lateness_p99_ms: float = 0.0
    note: str = ""


@contextmanager
def target(*options: str) -> Iterator[str]:
    """The address of the server, on a core of its own where there are two."""
    process = subprocess.Popen(
        pinned([sys.executable, "-m", "benchmarks.flashcrowd.target", *options], SERVER_CORE),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait(30)


def flashcrowd(url: str, *options: str, seconds: float) -> Ran:
    """`flashcrowd run` with these options."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        words = ["-m", "flashcrowd", "run", str(HERE / "users.py"), url, "--for", f"{seconds}s", "--json", str(file)]
        cpu_s, peak_mb, _ = ran([sys.executable, *words, "--lateness", "60s", *options], statuses=(0, 3))
        result = json.loads(file.read_text())
    failed = sum(result["errors"].values())
    return Ran(
        result["requests"], failed, result["latency_ms"]["p99"], cpu_s, peak_mb,
        result["lateness_ms"]["p99"], result["void_reason"],
    )  # fmt: skip


def locust(url: str, *, users: int, seconds: float, per_user_s: float = 0.0) -> Ran:
    """Locust's FastHttpUser; all its users begin within a second."""
    words = ["-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless", "--json", "--host", url]
    words += ["-u", str(users), "-r", str(users), "-t", f"{seconds:g}s", "--stop-timeout", "60", "--loglevel", "ERROR"]
    cpu_s, peak_mb, out = ran([sys.executable, *words], {"PER_USER_S": str(per_user_s)}, statuses=(0, 1))
    (stats,) = json.loads(out[out.index("[") :])
    times = sorted((float(ms), int(count)) for ms, count in stats["response_times"].items())
    return Ran(stats["num_requests"], stats["num_failures"], percentile_of(times, 0.99), cpu_s, peak_mb)


def k6(url: str, *, users: int, seconds: float, rate: int = 0, requests: int = 10) -> Ran:
    """k6 on one core. `rate` is open arrivals of one request each, with so many users at most."""
    environment = {
        "URL": url, "USERS": str(users), "SECONDS": f"{seconds:g}", "RATE": str(rate),
        "REQUESTS": "1" if rate else str(requests), "GOMAXPROCS": "1", "K6_NO_USAGE_REPORT": "true",
    }  # fmt: skip
    command = [str(Path(sys.executable).with_name("k6")), "run", "--quiet", "--summary-trend-stats", "p(99)"]
    cpu_s, peak_mb, out = ran([*command, str(HERE / "k6.js")], environment)
    metrics = json.loads(out[out.index("{") :])

    def value(name: str, what: str) -> float:
        return float(metrics.get(name, {}).get("values", {}).get(what, 0))

    dropped = int(value("dropped_iterations", "count"))
    note = f"{dropped} requests were never sent" if dropped else ""
    return Ran(
        int(value("http_reqs", "count")), int(value("checks", "fails")), value("http_req_duration", "p(99)"),
        cpu_s, peak_mb, note=note,
    )  # fmt: skip


def ran(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, statuses: Sequence[int] = (0,)
) -> tuple[float, float, str]:
    """CPU seconds, peak memory in MB, and the output of a command on the generator's core."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            pinned(command, GENERATOR_CORE), env={**os.environ, **(environment or {})}, stdout=out, stderr=complaints
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        complaints.seek(0)
        if process.returncode not in statuses:
            raise SystemExit(f"{command[:4]} ended with {process.returncode}: {complaints.read()[-2000:]}")
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out.read()


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command, on this core alone where the machine has it."""
    return ["taskset", "-c", str(core), *command] if core in os.sched_getaffinity(0) else [*command]


def percentile_of(counted: Sequence[tuple[float, int]], share: float) -> float:
    """Of (value, how often), by value."""
    wanted, seen = share * sum(count for _, count in counted), 0
    for value, count in counted:
        seen += count
        if seen >= wanted:
            return value
    return 0.0


def allow_descriptors() -> None:
    """As many as this machine allows, for what is started from here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
