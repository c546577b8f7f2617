"""Everything waits through Seawall: no raw primitive, thread or clock in the packages but where it is named here.

One place each, so that what waits has a name, a bound and a deadline, is in the graph, and can be replaced in tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SOURCES = sorted(REPOSITORY.glob("packages/*/src/**/*.py"))

MODULES = {"threading", "_thread", "queue", "multiprocessing", "concurrent", "sched", "time"}
NAMES = {
    "asyncio": {
        "Barrier", "BoundedSemaphore", "Condition", "Event", "LifoQueue", "Lock", "PriorityQueue", "Queue", "Semaphore",
        "to_thread",
    },
    "anyio": {"CapacityLimiter", "Condition", "Event", "Lock", "Semaphore", "to_thread"},
}  # fmt: skip
METHODS = {"run_in_executor"}

SEAMS = {
    "seawall/runtime/": "the seam itself",
    "seawall/clock.py": "the seam for time",
    "seawall/pools/thread_pool.py": "it is a concurrent.futures.Executor",
    "seawall/pools/future.py": "it is a concurrent.futures.Future",
    "seawall/integrations/": "it stands in for the raw thing under another library",
    "seawall/testing/pytest_plugin.py": "it looks for threads that were left behind",
    "turnout/cli.py": "one thread that waits for another process; there is nothing to see or to wake",
}


def raw(source: str) -> Iterator[str]:
    """What of it is raw."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    names[alias.asname or top] = top
                    if top in MODULES:
                        yield f"line {node.lineno}: import {alias.name}"
            case ast.ImportFrom(module=str(module)):
                top = module.partition(".")[0]
                if top in MODULES:
                    yield f"line {node.lineno}: from {module} import …"
                for alias in node.names:
                    if alias.name in NAMES.get(top, ()):
                        yield f"line {node.lineno}: from {module} import {alias.name}"
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in NAMES.get(
                names.get(name, ""), ()
            ):
                yield f"line {node.lineno}: {names[name]}.{attribute}"
            case ast.Attribute(attr=attribute) if attribute in METHODS:
                yield f"line {node.lineno}: .{attribute}"


def seam_of(path: Path) -> str | None:
    inside = path.as_posix().partition("/src/")[2]
    return next((seam for seam in SEAMS if inside == seam or (seam.endswith("/") and inside.startswith(seam))), None)


def test_nothing_waits_or_tells_the_time_beside_seawall() -> None:
    assert len(SOURCES) > 200
    found = {
        str(path.relative_to(REPOSITORY)): list(raw(path.read_text(encoding="utf-8")))
        for path in SOURCES
        if seam_of(path) is None
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize("seam", SEAMS)
def test_a_seam_that_needs_nothing_raw_any_more_is_none(seam: str) -> None:
    assert any(seam_of(path) == seam and [*raw(path.read_text(encoding="utf-8"))] for path in SOURCES)


@pytest.mark.parametrize(
    "source",
    [
        "import threading",
        "import threading as t",
        "from threading import Lock",
        "import concurrent.futures",
        "from concurrent.futures import ThreadPoolExecutor",
        "from queue import Queue",
        "import time",
        "from time import sleep",
        "import asyncio\nlock = asyncio.Lock()",
        "import asyncio as a\nasync def f(): await a.to_thread(print)",
        "from asyncio import Semaphore",
        "def f(loop): loop.run_in_executor(None, print)",
        "import anyio\nlimiter = anyio.CapacityLimiter(4)",
    ],
)
def test_each_way_to_write_it_is_found(source: str) -> None:
    assert list(raw(source))


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasync def f(): await asyncio.sleep(0)",
        "from datetime import time",
        "def f(clock): return clock.time()",
        "from seawall import Semaphore",
    ],
)
def test_what_is_not_raw_is_left_alone(source: str) -> None:
    assert not list(raw(source))
