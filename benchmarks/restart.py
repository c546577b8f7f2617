"""Starting after a crash that left a long journal: how soon the server takes events, and how soon the store is level.

Run: `uv run python -m benchmarks.restart [--events 1000000]`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import server
from benchmarks.report import report
from turnout.ingest.journal import Journal
from turnout.jobs.demo import fill
from turnout.model.site import Site, SiteId, UserId


def main() -> None:
    """Prints one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        key = server.prepare(data)
        _leave_in_journal(data, events)
        began_s = time.monotonic()
        with server.serving(data) as running:
            ready_s = time.monotonic() - began_s
            _wait_for(running.port, key, events)
            level_s = time.monotonic() - began_s
            report(f"restart.{events}_events.ready", "s", ready_s)
            report(f"restart.{events}_events.store_level", "s", level_s)
            report(f"restart.{events}_events.stored", "1/s", events / level_s)
            report(f"restart.{events}_events.memory", "MB", running.rss_mb(), goal="<= 600")


def _leave_in_journal(data: Path, events: int) -> None:
    """What a server leaves that is killed before it has stored anything."""
    journal = Journal(data / "journal.sqlite", max_bytes=2**40, disk_floor_bytes=0)
    site = Site(SiteId(1), server.SITE, "Europe/Berlin", UserId(1))
    fill(site, events, 1, journal.append, datetime.now(UTC), lambda done: None)
    journal.close()


def _wait_for(port: int, key: str, events: int) -> None:
    query: dict[str, object] = {"site_id": server.SITE, "metrics": ["events"], "date_range": "all"}
    while server.ask(port, key, query)[0]["metrics"][0] != events:
        time.sleep(0.1)


if __name__ == "__main__":
    main()
