"""The service's processes: started on a free port, waited for, and ended whatever happens."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.launch_day.seed import TODAY
from lab.launch_day.serve import FIGURES_PATH
from lab.processes import ROOT, end, free_port

START_S = 60.0
END_S = 2.0
"""uvicorn gives requests a second; what has not ended then hangs, and that has been seen by now."""


class NotStarted(RuntimeError):
    """A process of the lab did not come up; the message has the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the server has answered, by "kind status"; how many requests are in it, and were at most."""

    in_flight: int = 0
    most_in_flight: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: the server, and the worker beside it."""

    port: int
    source: Path
    log: Path
    server: subprocess.Popen[bytes]

    def figures(self, timeout_s: float = 10.0) -> Figures:
        """What the server has answered so far. Raises OSError when not even the event loop answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", FIGURES_PATH)
            return Figures(**json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def stacks(self) -> str:
        """The stacks of all the server's threads, now."""
        before = self.log.stat().st_size
        self.server.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        with self.log.open("rb") as file:
            file.seek(before)
            return file.read().decode(errors="replace")


@contextmanager
def running(source: str, directory: Path, database_url: str) -> Iterator[Service]:
    """The service with this source, its server and its worker, until the end of the block. Raises NotStarted."""
    directory.mkdir(parents=True)
    file, log = directory / "service.py", directory / "server.log"
    file.write_text(source)
    with _process([str(file)], directory / "worker.log", database_url):
        port = free_port()
        with _process(["-m", "lab.launch_day.serve", str(file), str(port)], log, database_url) as server:
            service = Service(port, file, log, server)
            _wait_for(service)
            yield service


@contextmanager
def _process(arguments: Sequence[str], log: Path, database_url: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"DATABASE_URL": database_url, "TODAY": TODAY.isoformat(), "PYTHONPATH": str(ROOT)}
    environment |= {"SEAWALL_LEVEL": "watched"}  # as in production
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the harness, which ends it
        )
    try:
        yield process
    finally:
        end(process, END_S)


def _wait_for(service: Service) -> None:
    until = time.monotonic() + START_S
    while True:
        if service.server.poll() is not None or time.monotonic() > until:
            raise NotStarted(f"the server did not start: {service.log.read_text()[-2000:]}")
        try:
            service.figures(timeout_s=5)
        except OSError:
            time.sleep(0.05)
        else:
            return
