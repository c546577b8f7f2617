"""A real `turnout serve`, on a data directory that may be thrown away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server import turnout
from lab.five_times.crowd import EMAIL, PASSWORD, SITES
from lab.processes import bind, end, free_port
from turnout.without import VARIABLE

START_S = 60.0
END_S = 45.0
"""It drains for up to 20 s, and stores what is in its journal."""


class NotStarted(RuntimeError):
    """Turnout did not come up; the message has the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where it listens."""

    port: int


def fill(data: Path, seed: int, events_per_site: int) -> str:
    """An account, and its sites with a year of visits each; the same seed tells the same year. Returns an API key."""
    turnout(data, "user", "create", EMAIL, "--password-stdin", stdin=PASSWORD + "\n")
    for number, site in enumerate(SITES):
        words = ("--site", site, "--events", str(events_per_site), "--seed", str(seed + number))
        turnout(data, "demo", "--owner", EMAIL, *words)
    return turnout(data, "key", "create", "--owner", EMAIL)


@contextmanager
def serving(data: Path, log: Path, without: str | None, cores: frozenset[int]) -> Iterator[Running]:
    """Turnout on `data` and on these `cores` while the block runs, without one protection where one is named.

    Raises NotStarted.
    """
    port = free_port()
    command = [sys.executable, "-m", "turnout", "serve", "--port", str(port), "--data", str(data)]
    environment = os.environ | {"TURNOUT_LOG_LEVEL": "warning", "SEAWALL_LEVEL": "watched"}
    if without is not None:
        command += ["--lab-without", without]
        environment[VARIABLE] = "1"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
    bind(process, cores)
    try:
        _wait_for(process, port, log)
        yield Running(port)
    finally:
        end(process, END_S)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        if process.poll() is not None or time.monotonic() > until:
            raise NotStarted(log.read_text(errors="replace")[-2000:])
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                return
        except OSError:  # also an answer that it is not ready yet
            time.sleep(0.05)
