"""`python -m benchmarks.flashcrowd [speed | stall | lateness | memory …]`: all of them where none is named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from math import ceil

from benchmarks.flashcrowd import tools
from benchmarks.flashcrowd.target import STALL_S
from benchmarks.flashcrowd.tools import Ran
from benchmarks.report import report

CONNECTIONS = 64
SHORT_S, LONG_S = 2.0, 12.0
STALL_PER_S, STALL_RUN_S, STALL_AFTER_S = 100, 12.0, 4.5
WAITING, HOLD_S = 5_000, 12.0


def speed() -> None:
    """Requests a second of CPU: what a long run has over a short one, so that no tool's start counts."""

    def per_core(name: str, run: Callable[[float], Ran]) -> float:
        short, long = run(SHORT_S), run(LONG_S)
        if long.failed:
            raise SystemExit(f"{name}: {long.failed} of {long.requests} requests failed")
        return (long.requests - short.requests) / (long.cpu_s - short.cpu_s)

    with tools.target() as url:
        ours = per_core("flashcrowd", lambda s: tools.flashcrowd(url, "--users", str(CONNECTIONS), seconds=s))
        locust = per_core("locust", lambda s: tools.locust(url, users=CONNECTIONS, seconds=s))
        k6 = per_core("k6", lambda s: tools.k6(url, users=CONNECTIONS, seconds=s))
        single = per_core(
            "flashcrowd, one request a user",
            lambda s: tools.flashcrowd(url, "--users", str(CONNECTIONS), "--data", "requests=1", seconds=s),
        )
    unit = "requests/s a core"
    report("flashcrowd.speed", unit, ours, goal="≥ 25,000")
    report("flashcrowd.speed", unit, ours, peer="Locust FastHttpUser", peer_value=locust, goal="≥ 6 ×")
    report("flashcrowd.speed", unit, ours, peer="k6", peer_value=k6)
    report("flashcrowd.speed.one_request_a_user", unit, single)


def stall() -> None:
    """A server that gives no answer for a second: what p99 a user would have seen, and what each tool says."""
    count, began = round(STALL_PER_S * STALL_RUN_S), STALL_AFTER_S
    waits = sorted(
        max(0.0, began + STALL_S - n / STALL_PER_S) if n / STALL_PER_S >= began else 0.0 for n in range(count)
    )
    arithmetic_ms = waits[ceil(0.99 * count) - 1] * 1000
    options = ("--stall-after-s", str(STALL_AFTER_S))
    rate = STALL_PER_S

    def show(name: str, ran: Ran, goal: str = "") -> None:
        report(
            f"{name}, p99 of a one-second stall", "ms", ran.p99_ms,
            peer="arithmetic", peer_value=arithmetic_ms, goal=goal, note=ran.note,
        )  # fmt: skip

    with tools.target(*options) as url:
        one = ("--rate", f"{rate}/s", "--data", "requests=1")
        show("flashcrowd", tools.flashcrowd(url, *one, seconds=STALL_RUN_S), "within 5 %")
    with tools.target(*options) as url:
        show("locust, 5 users", tools.locust(url, users=5, seconds=STALL_RUN_S, per_user_s=5 / rate))
    with tools.target(*options) as url:
        show("locust, 100 users", tools.locust(url, users=100, seconds=STALL_RUN_S, per_user_s=100 / rate))
    with tools.target(*options) as url:
        show("k6, 5 users", tools.k6(url, users=5, seconds=STALL_RUN_S, rate=rate))
    with tools.target(*options) as url:
        show("k6, 200 users", tools.k6(url, users=200, seconds=STALL_RUN_S, rate=rate))


def lateness() -> None:
    """How late it sends when it needs half a core, and at 100 a second; beside what the machine lets anybody wake."""
    with tools.target() as url:
        one = ("--data", "requests=1")
        trial = [tools.flashcrowd(url, "--rate", "3000/s", *one, seconds=s) for s in (SHORT_S, SHORT_S + 4)]
        cost_s = (trial[1].cpu_s - trial[0].cpu_s) / (trial[1].requests - trial[0].requests)
        half = round(0.5 / cost_s)
        for rate in (half, 100):
            ran = tools.flashcrowd(url, "--rate", f"{rate}/s", *one, seconds=10.0)
            _, _, alone = tools.ran([sys.executable, "-m", "benchmarks.flashcrowd.sleeper", str(rate), "10"])
            report(
                f"flashcrowd.lateness.p99 at {rate}/s", "ms", ran.lateness_p99_ms,
                peer="a process that only sleeps", peer_value=float(alone),
                goal="< 1 ms" if rate == half else "", note=ran.note,
            )  # fmt: skip


def memory() -> None:
    """5,000 users who wait for their answers: the peak of resident memory."""
    each_s = 5.0
    found: dict[str, Ran] = {}
    options = ("--hold-s", str(HOLD_S))
    rate = round(WAITING / each_s)
    with tools.target(*options) as url:
        found["flashcrowd"] = tools.flashcrowd(url, "--rate", f"{rate}/s", "--data", "requests=1", seconds=each_s)
    with tools.target(*options) as url:
        found["locust"] = tools.locust(url, users=WAITING, seconds=each_s)
    with tools.target(*options) as url:
        found["k6"] = tools.k6(url, users=WAITING, seconds=each_s, requests=1)
    ours = found["flashcrowd"]
    report("flashcrowd.memory.5000_waiting", "MB", ours.peak_mb, goal="≤ 80", note=_short(ours))
    for peer in ("locust", "k6"):
        ran = found[peer]
        report(
            "flashcrowd.memory.5000_waiting", "MB", ours.peak_mb, peer=peer, peer_value=ran.peak_mb, note=_short(ran)
        )


def _short(ran: Ran) -> str:
    return "" if ran.requests >= WAITING else f"only {ran.requests} were sent"


PARTS: dict[str, Callable[[], None]] = {"speed": speed, "stall": stall, "lateness": lateness, "memory": memory}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flashcrowd", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which; all where none is named")
    tools.allow_descriptors()
    for part in parser.parse_args().parts or PARTS:
        PARTS[part]()
