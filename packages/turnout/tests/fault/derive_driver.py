"""A process to be killed: stores events of ten days, and derives anew what they touch.

    python derive_driver.py DIR SEED

A line is printed after each time that days were derived. Runs until it is killed.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from turnout.ingest.visits import Visits
from turnout.jobs.derive import Derivation
from turnout.model.event import Event
from turnout.store.duckdb.database import EventDatabase

DAYS = 10
FIRST_MS = 1_780_272_000_000  # 2026-06-01
DAY_MS = 86_400_000


def make_event(number: int, chance: random.Random) -> Event:
    """An event of one of two days that change with time, by one of 40 visitors of that day."""
    day = (number // 200 * 7 + chance.randrange(2)) % DAYS
    at_ms = FIRST_MS + day * DAY_MS + chance.randrange(DAY_MS)
    name = chance.choice(["pageview", "pageview", "pageview", "engagement", "signup"])
    source, page = chance.choice(["", "a", "b"]), f"/{chance.randrange(5)}"
    texts = ["", source, "Direct", "", "", "", "", "", "DE", "", "", "Desktop", "Firefox", "140", "GNU/Linux", "", "de"]
    visitor = 1_000 * day + chance.randrange(40)
    return Event(1, at_ms, at_ms, visitor, name, True, "e.org", page, *texts, {}, None, None, None, None)


def main(directory: Path, seed: int) -> None:
    """Store and derive until killed."""
    chance = random.Random(seed)
    database = EventDatabase(directory / "events.duckdb", memory_mb=200)
    store, visits = database.writer(), Visits(database.writer())
    job = Derivation(database.deriver(), quiet_s=0)
    position = store.position()
    while True:
        rows = []
        for _ in range(chance.randrange(1, 300)):
            position += 1
            rows.append(visits.decide(make_event(position, chance), position))
        store.append(rows)
        visits.settle()
        while job.step():
            print("derived", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
