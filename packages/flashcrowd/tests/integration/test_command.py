"""The command as people call it, in a process of its own, against a server in one."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER = """
import asyncio, sys, uvicorn

async def app(scope, receive, send):
    if scope["path"] == "/slow":
        await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 404 if scope["path"] == "/favicon.ico" else 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})

uvicorn.run(app, fd=int(sys.argv[1]), log_level="error", lifespan="off")
"""
USERS = """
from flashcrowd import User, step

class Visitor(User):
    @step
    async def look(self):
        await self.get(self.data.get("path", "/"))
"""
QUIET = ("--lateness", "1h")  # a busy machine sends late; tests that are not about it do not mind


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server's address."""
    script = tmp_path_factory.mktemp("server") / "server.py"
    script.write_text(SERVER)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        process = subprocess.Popen(
            [sys.executable, str(script), str(listening.fileno())], pass_fds=[listening.fileno()]
        )
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        process.terminate()
        process.wait(30)


@pytest.fixture
def users(tmp_path: Path) -> str:
    """A file of users."""
    file = tmp_path / "visitor.py"
    file.write_text(USERS)
    return str(file)


def flashcrowd(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flashcrowd", *words], capture_output=True, text=True, timeout=120, check=False
    )


def test_a_run_writes_what_was_asked_for(url: str, users: str, tmp_path: Path) -> None:
    json_file, html_file = tmp_path / "out.json", tmp_path / "out.html"
    done = flashcrowd(
        "run", users, url, "--rate", "40/s", "--for", "1s", "--json", str(json_file), "--html", str(html_file), *QUIET
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(json_file.read_text())
    assert found["requests"] == found["good"] == 40
    assert found["errors"] == {}
    assert not found["void"]
    assert {"p50", "p95", "p99", "max"} <= set(found["latency_ms"])
    assert found["lateness_ms"]["p99"] >= 0
    assert "GET /" in done.stdout
    assert "<html" in html_file.read_text()
    again = flashcrowd("compare", str(json_file), str(json_file))
    assert again.returncode == 0, again.stderr
    assert "out.json" in again.stdout


def test_a_threshold_that_is_passed_is_status_1(url: str, users: str) -> None:
    words = ("run", users, url, "--rate", "20/s", "--for", "1s", *QUIET)
    assert flashcrowd(*words, "--fail-if", "goodput<1/s").returncode == 0
    failed = flashcrowd(*words, "--fail-if", "goodput<1/s", "--fail-if", "p50>0.001ms")
    assert failed.returncode == 1
    assert "p50>0.001ms" in failed.stdout


def test_a_void_run_is_status_3_whatever_its_thresholds(url: str, users: str) -> None:
    done = flashcrowd(
        "run", users, url, "--rate", "50/s", "--for", "1s", "--data", "path=/slow", "--most-users", "1",
        "--fail-if", "max>0ms",
    )  # fmt: skip
    assert done.returncode == 3
    assert "not started" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--rate", "fast"), "--rate: expected a rate such as 200/s"),
        (("--for", "soon"), "--for: expected a duration such as 30s"),
        (("--users", "0"), "--users: expected a number of users"),
        (("--users", "many"), "--users"),
        (("--users", "3", "--rate", "3/s"), "--rate and --users: expected one of them"),
        (("--arrivals", "sometimes"), "--arrivals: expected one of constant:200/s"),
        (("--data", "novalue"), "--data: expected NAME=VALUE"),
        (("--fail-if", "p95 is bad"), "--fail-if: expected a condition"),
        (("--json", "/no/such/folder/out.json"), "--json: expected a file in a folder"),
        (("--no-such-option",), "No such option"),
    ],
)
def test_bad_input_is_status_2_and_says_what_was_expected(url: str, users: str, words, complaint: str) -> None:
    done = flashcrowd("run", users, url, *words)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_target_that_is_not_there_is_status_2(users: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        done = flashcrowd("run", users, f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 2
    assert "nothing answers at http://127.0.0.1:" in done.stderr


def test_ctrl_c_ends_the_run_and_reports_it(url: str, users: str, tmp_path: Path) -> None:
    json_file = tmp_path / "out.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "flashcrowd", "run", users, url, "--rate", "20/s", "--for", "1h",
         "--json", str(json_file), *QUIET],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "arrived" in line:  # the first second is over
            break
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    found = json.loads(json_file.read_text())
    assert 0 < found["requests"] < 72_000
    assert found["duration_s"] < 3600
    assert "GET /" in out


def test_a_search_finds_a_load_that_holds(url: str, users: str, tmp_path: Path) -> None:
    json_file = tmp_path / "limit.json"
    done = flashcrowd(
        "limit", users, url, "--from", "20/s", "--up-to", "40/s", "--for", "1s", "--promise", "p50<=60s,errors<=1%",
        "--json", str(json_file), *QUIET,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(json_file.read_text())
    assert [run["offered_per_s"] for run in found["runs"]] == [20, 40]
    assert found["holds_per_s"] == 40
    refused = flashcrowd("compare", str(json_file), str(json_file))
    assert refused.returncode == 2
    assert "not of flashcrowd limit" in refused.stderr
