"""Sends the same crowd with k6, to check by another generator what Flashcrowd measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from lab.crowd import START_S, NoCrowd
from lab.launch_day.crowd import Came
from lab.launch_day.requests import PATIENCE_S, Request, parse
from lab.launch_day.seed import Crowd
from lab.processes import end

SCRIPT = Path(__file__).with_name("k6.js")


class Run:
    """A crowd on its way."""

    def __init__(self, process: subprocess.Popen[bytes], directory: Path, rate: float, seconds: float) -> None:
        self._process = process
        self._directory = directory
        self._rate = rate
        self._seconds = seconds

    def ends_at(self) -> float:
        """Wait for the first request to be over, and tell when the last is meant to be sent (seconds, as time.time)."""
        until = time.monotonic() + START_S + PATIENCE_S
        while not (records := self._records()):
            if self._process.poll() is not None or time.monotonic() > until:
                raise NoCrowd((self._directory / "k6.log").read_text()[-2000:])
            time.sleep(0.02)
        first = records[0]
        return first.intended / 1000 - (first.n / self._rate if self._rate else 0.0) + self._seconds

    def wait(self) -> Came:
        """Wait until all have their answer or have left. Raises NoCrowd."""
        try:
            self._process.wait(self._seconds + PATIENCE_S + START_S)
        except subprocess.TimeoutExpired as late:
            raise NoCrowd("k6 did not end") from late
        if self._process.returncode != 0:
            raise NoCrowd((self._directory / "k6.log").read_text()[-2000:])
        summary = json.loads((self._directory / "summary.json").read_text())
        return Came(self._records(), int(summary["dropped"]))

    def _records(self) -> list[Request]:
        file = self._directory / "requests.jsonl"
        return parse(file.read_text().splitlines(keepends=True)) if file.exists() else []


@contextmanager
def coming(
    crowd: Crowd, port: int, directory: Path, *, rate: float = 0.0, users: int = 0, seconds: float
) -> Iterator[Run]:
    """See `crowd.Generator`."""
    (directory / "crowd.json").write_text(json.dumps(asdict(crowd)))
    environment = os.environ | {
        "BASE": f"http://127.0.0.1:{port}",
        "CROWD": str(directory / "crowd.json"),
        "RATE": str(rate),
        # With open arrivals, everybody who can be there at once: as many as come before the first gives up.
        "USERS": str(users or int(rate * (PATIENCE_S + 1.5)) + 10),
        "SECONDS": f"{seconds:g}",
        "PATIENCE_S": f"{PATIENCE_S:g}",
        "SUMMARY": str(directory / "summary.json"),
    }
    options = ["--quiet", "--no-usage-report", "--log-format=raw", f"--console-output={directory / 'requests.jsonl'}"]
    with (directory / "k6.log").open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("k6")), "run", *options, "--address=127.0.0.1:0", str(SCRIPT)],
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
    try:
        yield Run(process, directory, rate, seconds)
    finally:
        end(process)
