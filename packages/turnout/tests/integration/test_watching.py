"""The whole server's objects, with one of its locks held for long."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from serving import until

from seawall import snapshot
from turnout.compose import Server
from turnout.settings import Settings


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
