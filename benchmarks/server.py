"""A real `turnout serve` for a benchmark: its own data directory, its own core, and the command line to fill it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

EMAIL = "bench@turnout.example"
PASSWORD = "a crowd is coming"
SITE = "bench.example"


class Server:
    """A process that listens on 127.0.0.1:`port`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, data: Path) -> None:
        self.process = process
        self.port = port
        self.data = data

    def cpu_s(self) -> float:
        """User and system time of the process so far, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """While the block runs the server has one core, and whoever measures it the others; nothing where there is one."""
        cores = os.sched_getaffinity(0)
        first = {min(cores)}
        try:
            self.bind(first)
            os.sched_setaffinity(0, cores - first or cores)
            yield
        finally:
            os.sched_setaffinity(0, cores)
            self.bind(cores)

    def bind(self, cores: Iterable[int]) -> None:
        """Has all its threads, and those they start, run on these cores."""
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.sched_setaffinity(int(thread.name), cores)

    def rss_mb(self) -> float:
        """Resident memory of the process in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def turnout(data: Path, *words: str, stdin: str = "") -> str:
    """Runs one command of `turnout` on `data` and returns what it printed."""
    command = [sys.executable, "-m", "turnout", *words, "--data", str(data)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout.strip()


def prepare(data: Path) -> str:
    """Makes an account and a site in `data`; returns an API key that reads it."""
    turnout(data, "user", "create", EMAIL, "--password-stdin", stdin=PASSWORD + "\n")
    turnout(data, "site", "create", SITE, "--owner", EMAIL, "--timezone", "Europe/Berlin")
    return turnout(data, "key", "create", "--owner", EMAIL)


@contextlib.contextmanager
def serving(data: Path, *, cores: Sequence[int] | None = None, module: str = "turnout") -> Iterator[Server]:
    """`turnout serve` on `data` while the block runs, bound to `cores` where some are named."""
    port = free_port()
    command = [sys.executable, "-m", module, "serve", "--port", str(port), "--data", str(data)]
    with running(command, port, "/health/ready", data, cores=cores) as server:
        yield server


@contextlib.contextmanager
def running(
    command: list[str], port: int, path: str, data: Path, *, cores: Sequence[int] | None = None
) -> Iterator[Server]:
    """Any server while the block runs; ready when `path` is answered below 500."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        if cores is not None:
            os.sched_setaffinity(process.pid, cores)
        _wait_until_ready(process, port, path)
        server = Server(process, port, data)
        if cores is not None:
            server.bind(cores)  # threads started before the first call keep their own mask
        yield server
    finally:
        process.terminate()
        process.wait(60)


def ask(port: int, key: str, query: dict[str, object]) -> list[dict[str, list[object]]]:
    """The results of one query of the Stats API."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/query",
        json.dumps(query).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        results: list[dict[str, list[object]]] = json.load(answer)["results"]
    return results


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode} before it was ready")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server was not ready within a minute")
