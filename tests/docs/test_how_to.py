"""The how-to pages for Seawall do what they say: their files are written, their commands run, their output compared.

A block of Python whose first line is `# NAME.py` is that file. In a block of `console` each `$ ` line is a command, and every
line after it must be in its output, `…` standing for anything.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from seawall import (
    Batcher,
    Fixed,
    Gate,
    LoopLag,
    Mutex,
    Overloaded,
    ReadWriteLock,
    Semaphore,
    ThreadPool,
    Workload,
    configure,
    openmetrics,
    snapshot,
)
from seawall.observe.settings import SETTINGS

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(page for page in HOW_TO.glob("*.md") if "```console\n$ " in page.read_text(encoding="utf-8"))


def steps(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """("file", its name, [its text]) and ("run", the command, [what it says])."""
    for language, body in BLOCK.findall(text):
        if language == "python":
            name = re.match(r"# (\w+\.py)\n", body)
            if name:
                yield "file", name[1], [body]
            continue
        for command in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            first, *said = command.splitlines()
            yield "run", first, said


def is_said(line: str, output: list[str]) -> bool:
    pattern = re.sub(r"([\[\]*?])", r"[\1]", line.strip()).replace("…", "*")
    return any(fnmatchcase(out.strip(), pattern) for out in output)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_say_what_the_page_says(page: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SEAWALL_", "PYTEST_"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}", "PYTHONUTF8": "1"}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they are not needed, and slow to start
    environment |= {
        "PYTHONDONTWRITEBYTECODE": "1"
    }  # a file that is written twice within a second would not be read again
    for kind, what, lines in steps(page.read_text(encoding="utf-8")):
        if kind == "file":
            (tmp_path / what).write_text(lines[0], encoding="utf-8")
            continue
        ran = subprocess.run(
            what, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        output = ran.stdout + ran.stderr
        assert [line for line in lines if not is_said(line, output.splitlines())] == [], f"$ {what}\n{output}"


def test_there_are_pages_with_commands() -> None:
    assert {page.stem for page in PAGES} >= {"find-a-deadlock", "put-locks-in-metrics", "size-a-pool", "test-for-races"}


def test_every_metric_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(seawall_[a-z_]+)`", (HOW_TO / "put-locks-in-metrics.md").read_text(encoding="utf-8"))
    things = [Mutex("m"), Semaphore("s", 1), ReadWriteLock("r")]
    gate = Gate("g", Fixed(1), [Workload("w", queue_limit=0)])
    with gate.admit_sync("w"), pytest.raises(Overloaded):
        gate.admit_sync("w").__enter__()

    async def text_of_a_loop() -> str:
        lag = LoopLag("l")
        lag.start()
        try:
            return openmetrics(snapshot())
        finally:
            lag.stop()

    journal = Batcher("b", lambda items: None, max_items=1, capacity=1)
    level = SETTINGS.level
    configure(level="timed")
    try:
        with things[0], ThreadPool("p", max_threads=1):
            pass
        with ThreadPool("p", max_threads=1):
            text = asyncio.run(text_of_a_loop())
    finally:
        configure(level=level)
        journal.close(timeout_s=30)
    assert len(named) >= 12
    assert [name for name in named if name not in text] == []
