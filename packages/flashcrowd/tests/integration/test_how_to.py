"""The how-to does what it says: its files are written as they stand there, its services served, its commands carried out."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[4] / "docs/how-to/load-test-your-service.md"
TEXT = PAGE.read_text(encoding="utf-8")
FILES = {found[1]: found[0] for found in re.findall(r"^```python\n(# (\w+\.py)\n.*?)^```", TEXT, re.M | re.S)}
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S) for line in block.splitlines()]
WITHIN_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@contextmanager
def served(folder: Path, app: str) -> Iterator[str]:
    """The address of the service."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        port = listening.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", app, "--fd", str(listening.fileno()), "--log-level", "warning"]
        process = subprocess.Popen(command, cwd=folder, pass_fds=[listening.fileno()])
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(WITHIN_S)


def carried_out(command: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """A command of the page: shorter, against `url`, and whatever else the machine has to do."""
    command = re.sub(r"--for \d+s", "--for 6s", command.replace("http://127.0.0.1:8431", url).replace('"$URL"', url))
    words = [word for word in shlex.split(command) if word != "flashcrowd"]
    patient = [] if words[0] == "compare" else ["--lateness", "1h"]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", "flashcrowd", *words, *patient],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False, env=environment,
    )  # fmt: skip


def commands(start: str) -> list[str]:
    found = [command for command in COMMANDS if command.startswith(start)]
    assert found, start
    return found


def test_the_page_has_its_services_and_its_users() -> None:
    assert set(FILES) == {"shop.py", "shop_timed.py", "visitors.py"}
    assert "# shop.py" in FILES["shop.py"]
    assert commands("uvicorn shop:app")
    assert commands("uvicorn shop_timed:app")


def test_a_quiet_run_and_a_run_in_a_pipeline_say_what_they_are_said_to(folder: Path) -> None:
    with served(folder, "shop:app") as url:
        quiet = carried_out(commands("flashcrowd run visitors.py http")[0], folder, url)
        assert quiet.returncode == 0, quiet.stderr
        for told in ("100 % right · 360 users came", "from when users meant to send", "GET /products"):
            assert told in quiet.stdout
        kept = carried_out(commands('flashcrowd run visitors.py "$URL"')[0].replace("300ms", "30s"), folder, url)
        assert kept.returncode == 0, kept.stdout
        assert kept.stdout.count("passed") == 2


def test_too_many_people_fail_the_threshold_and_nothing_but_the_pool_is_blamed(folder: Path) -> None:
    with served(folder, "shop_timed:app") as url:
        before, after = commands("flashcrowd run visitors.py http")[1:3]
        failed = carried_out(before, folder, url)
        assert failed.returncode == 1, failed.stdout
        assert "FAILED  p95>300ms" in failed.stdout
        result = json.loads((folder / "before.json").read_text())
        # What else runs on this machine may hide it; then it has to say that it does not know.
        assert result["verdict"] is None or result["verdict"]["resource"] == "connections"
        assert "<h1>" in (folder / "before.html").read_text()
        assert carried_out(after, folder, url).returncode == 0
        compared = carried_out(commands("flashcrowd compare")[0], folder, url)
        assert compared.returncode == 0, compared.stderr
        assert "goodput" in compared.stdout


def test_the_search_ends_with_a_load_that_the_promise_holds_for(folder: Path) -> None:
    with served(folder, "shop:app") as url:
        began_s = time.monotonic()
        command = commands("flashcrowd limit")[0] + " --for 2s --from 30/s --up-to 120/s --json limit.json"
        found = carried_out(command.replace("300ms", "10s"), folder, url)
        assert found.returncode == 0, (found.stdout, found.stderr, time.monotonic() - began_s)
        result = json.loads((folder / "limit.json").read_text())
        assert result["kind"] == "limit"
        assert result["holds_per_s"] is not None
        assert "The promise holds up to" in found.stdout
        assert "<h1>" in (folder / "limit.html").read_text()
