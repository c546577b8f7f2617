"""A real `turnout serve` in a process of its own, and what tests ask of it: commands, events, queries, a signed-in client."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
DOMAIN = "acme.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"

WAIT_S = 30.0
"""How long a test waits for something that is bound to happen, before it fails."""


def until(claim: Callable[[], bool], what: str, within_s: float = WAIT_S) -> None:
    """Returns when `claim` holds; fails the test when it does not within `within_s`."""
    give_up = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > give_up:
            pytest.fail(f"waited {within_s:.0f} s in vain for {what}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Turnout:
    """A `turnout serve` on its own data directory, and the command line beside it."""

    def __init__(self, data: Path, environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # Without settings of whoever runs the tests.
        own = {name: value for name, value in os.environ.items() if not name.startswith("TURNOUT_")}
        self._environment = {**own, "TURNOUT_LOG_LEVEL": "warning", **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data.parent / f"{data.name}.log"
        self._key: str | None = None

    def start(self, *options: str) -> Turnout:
        """Starts the server and waits until it is ready."""
        where = ["--port", str(self.port), "--data", str(self.data)]
        command = [sys.executable, "-m", "turnout", "serve", *where, *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        until(self._is_ready_or_dead, "the server to be ready")
        assert self.process.poll() is None, self.log.read_text()
        return self

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Ends the server and returns its exit status."""
        assert self.process is not None
        self.process.send_signal(with_signal)
        status = self.process.wait(WAIT_S * 2)
        self.process = None
        return status

    def command(self, *words: str, stdin: str = "") -> str:
        """What one command of the command line prints; fails the test where it fails."""
        done = self.try_command(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def try_command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """One command of the command line, whatever comes of it."""
        command = [sys.executable, "-m", "turnout", *words, "--data", str(self.data)]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=self._environment, timeout=120, check=False
        )

    def prepare(self, timezone: str = "UTC", domain: str = DOMAIN) -> Turnout:
        """Makes an account with one site."""
        self.command("user", "create", EMAIL, "--password-stdin", stdin=PASSWORD + "\n")
        self.command("site", "create", domain, "--owner", EMAIL, "--timezone", timezone)
        return self

    @property
    def key(self) -> str:
        """An API key of scope stats, made at the first use."""
        if self._key is None:
            self._key = self.command("key", "create", "--owner", EMAIL)
        return self._key

    def send(self, body: dict[str, Any], address: str = "203.0.113.7", agent: str = FIREFOX) -> httpx.Response:
        """Sends one event as a tracker would."""
        headers = {"User-Agent": agent, "X-Forwarded-For": address, "Content-Type": "text/plain"}
        return httpx.post(f"{self.url}/api/event", content=json.dumps(body), headers=headers, timeout=WAIT_S)

    def query(self, **query: Any) -> list[dict[str, list[Any]]]:
        """The results of one query of the Stats API."""
        body = {"site_id": DOMAIN, "date_range": "day", **query}
        answer = httpx.post(
            f"{self.url}/api/v2/query", json=body, headers={"Authorization": f"Bearer {self.key}"}, timeout=WAIT_S
        )
        assert answer.status_code == 200, answer.text
        results: list[dict[str, list[Any]]] = answer.json()["results"]
        return results

    def total(self, metric: str, **query: Any) -> Any:
        """One number of one query."""
        return self.query(metrics=[metric], **query)[0]["metrics"][0]

    def wait_for(self, metric: str, expected: Any, within_s: float = WAIT_S, **query: Any) -> None:
        """Returns when the query API answers `expected`, as it must once the writer has caught up."""
        until(lambda: self.total(metric, **query) == expected, f"{metric} to be {expected}", within_s)

    def wait_for_status(self, status: int, body: dict[str, Any]) -> None:
        """Sends the event until it is answered with `status`."""
        until(lambda: self.send(body).status_code == status, f"an answer {status}")

    def signed_in(self) -> httpx.Client:
        """A client with the session of the account that `prepare` made."""
        client = httpx.Client(base_url=self.url, timeout=WAIT_S, follow_redirects=True)
        form = client.get("/login").text
        token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', form)
        assert token is not None, form
        fields = {"email": EMAIL, "password": PASSWORD, "_csrf_token": token.group(1)}
        answer = client.post("/login", data=fields)
        assert answer.status_code == 200, answer.text
        return client

    def _is_ready_or_dead(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            return True
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False
