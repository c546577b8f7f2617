"""The whole server's objects, with one of its locks held for long."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from serving import until

from seawall import snapshot
from seawall.observe.registry import REGISTRY
from turnout.compose import Server
from turnout.settings import Settings

OPERATIONS = Path(__file__).parents[4] / "docs" / "reference" / "operations.md"


def test_a_lock_that_is_held_for_long_is_logged_counted_and_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="turnout.findings")
    tmp_path.joinpath("data").mkdir()
    server = Server(Settings(data=tmp_path / "data"))
    may_end = threading.Event()

    def hold() -> None:
        with server.core.accounts_database.write():
            may_end.wait(60)

    def wait() -> None:
        with server.core.accounts_database.write():
            pass

    threads = [threading.Thread(target=run, name=run.__name__, daemon=True) for run in (hold, wait)]
    try:
        for thread in threads:
            thread.start()
        until(lambda: any("accounts.write" in record.getMessage() for record in caplog.records), "the log")
        assert server.operations.metrics()[1].count(b"seawall_long_holds_total 0") == 0
        shown = [one for one in snapshot().found if "accounts.write" in one.told]
        assert any("test_watching.py" in line for one in shown for _, stack in one.stacks for line in stack)
    finally:
        may_end.set()
        for thread in threads:
            thread.join(60)
        server.close(10.0)
    assert not any(thread.name in ("seawall-watchdog", "findings") for thread in threading.enumerate())


def test_every_resource_has_a_name_of_its_own_that_the_reference_explains(tmp_path: Path) -> None:
    tmp_path.joinpath("data").mkdir()
    before = {id(resource) for resource in REGISTRY.living()}
    server = Server(Settings(data=tmp_path / "data"))
    try:
        made = [resource for resource in REGISTRY.living() if id(resource) not in before]
        names = sorted(
            (type(one.statistics()).__name__.removesuffix("Statistics"), one.statistics().name) for one in made
        )
    finally:
        server.close(10.0)
    assert len(names) > 15
    assert len(set(names)) == len(names), names
    text = OPERATIONS.read_text(encoding="utf-8")
    table = text[text.index("## What can be waited for") : text.index("## The data directory")]
    kinds = {
        "Lock": "mutex",
        "Pool": "pool",
        "Batcher": "batcher",
        "Cache": "cache",
        "Flight": "flight",
        "Worker": "worker",
        "Gate": "gate",
        "Room": "waiting room",
    }
    missing = [(kind, name) for kind, name in names if f"| `{name}` | {kinds[kind]} |" not in table]
    assert not missing
