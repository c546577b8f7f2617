"""A crowd on its way: Flashcrowd in a process of its own, watched from outside, and what it met, request by request."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.processes import ROOT, bind, end

START_S = 60.0
DRAIN_S = 60.0
"""Flashcrowd sees those through who have come, for as long as the most patient of them would wait."""


class NoCrowd(RuntimeError):
    """The generator did not run; the message has the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to send: the users of `file`, `rate_per_s` of them (open) or `users` who come again and again (closed)."""

    file: str
    url: str
    seconds: float
    rate_per_s: float = 0.0
    users: int = 0
    seed: int = 1
    most_late_ms: float = 250.0
    """The run is void where the p99 of the generator's own lateness is above this."""
    data: Mapping[str, str] = field(default_factory=dict)
    cores: tuple[int, ...] = ()
    """That the generator may run on; any where none is named."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. `intended_ms` is since the run began; the others are since it was meant to be sent."""

    name: str
    intended_ms: float
    late_ms: float
    took_ms: float
    status: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Came:
    """What became of a crowd: every request, those that could not be sent, and why the run is void (empty: it is not)."""

    requests: tuple[Sent, ...]
    unsent: int
    void_reason: str


class People:
    """A crowd on its way."""

    def __init__(self, process: subprocess.Popen[bytes], directory: Path, asked: Asked) -> None:
        self._process = process
        self._directory = directory
        self._asked = asked

    def ends_at(self) -> float:
        """Wait for the crowd to begin, and tell when the last is meant to come (seconds, as time.time). Raises NoCrowd."""
        until = time.monotonic() + START_S
        began = self._directory / "began.json"
        while not began.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise NoCrowd(self._said())
            time.sleep(0.02)
        return float(json.loads(began.read_text())) + self._asked.seconds

    def wait(self) -> Came:
        """Wait until all have their answer or have left. Raises NoCrowd."""
        try:
            self._process.wait(START_S + self._asked.seconds + DRAIN_S)
        except subprocess.TimeoutExpired as late:
            raise NoCrowd("the generator did not end") from late
        if self._process.returncode != 0:
            raise NoCrowd(self._said())
        lines = (self._directory / "requests.jsonl").read_text().splitlines()
        result = json.loads((self._directory / "result.json").read_text())
        unsent = result["unfinished"]
        if self._asked.rate_per_s:
            unsent += max(0, expected(self._asked.rate_per_s, self._asked.seconds) - result["arrived"])
        return Came(tuple(Sent(**json.loads(line)) for line in lines), unsent, result["void_reason"])

    def _said(self) -> str:
        return (self._directory / "generator.log").read_text(errors="replace")[-2000:]


@contextmanager
def coming(asked: Asked, directory: Path) -> Iterator[People]:
    """The crowd that is asked for, with its files in `directory`; ended with the block."""
    directory.mkdir(parents=True, exist_ok=True)
    plan = directory / "plan.json"
    plan.write_text(json.dumps(asdict(asked)))
    with (directory / "generator.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.generator", str(plan), str(directory)],
            stdout=output,
            stderr=output,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the harness, which ends it
        )
    bind(process, frozenset(asked.cores))
    try:
        yield People(process, directory, asked)
    finally:
        end(process)


def expected(rate_per_s: float, seconds: float) -> int:
    """How many come at a constant rate, the first of them at once."""
    count = int(rate_per_s * seconds)
    while count / rate_per_s < seconds:  # as Flashcrowd does: so rounding decides alike
        count += 1
    return count
