"""A process to be killed: journals events and stores them over real files, telling on stdout what is acknowledged.

    python crash_driver.py DIR SEED MODE

MODE `run` journals and stores; `journal` only journals; `checkpoint` stores and folds the store's log all the time.
A line `N` says that the events with pages /1 … /N are acknowledged. Runs until it is killed.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from seawall import Stop, Worker
from turnout.ingest.journal import Journal
from turnout.ingest.writer import Writer
from turnout.model.event import Event
from turnout.store.duckdb.database import EventDatabase

MINUTE = 60_000


def make_event(number: int, chance: random.Random, at_ms: int) -> Event:
    """An event whose page is its number, of one of 20 visitors."""
    name = chance.choice(["pageview", "pageview", "pageview", "engagement", "signup"])
    texts = ["", "", "Direct", "", "", "", "", "", "DE", "", "", "Desktop", "Firefox", "140", "GNU/Linux", "", "de"]
    visitor = chance.randrange(20)
    return Event(1, at_ms, at_ms, visitor, name, True, "e.org", f"/{number}", *texts, {}, None, None, None, None)


def open_journal(directory: Path, not_before: int = 0) -> Journal:
    """The driver's journal, without limits that matter."""
    return Journal(directory / "journal.db", max_bytes=1 << 30, disk_floor_bytes=0, not_before=not_before)


def main(directory: Path, seed: int, mode: str) -> None:
    """Journal events until killed."""
    chance = random.Random(seed)
    database = EventDatabase(directory / "events.duckdb", memory_mb=200)
    store = database.writer()
    journal = open_journal(directory, store.position())
    writer = Writer(journal, store)

    def store_and_fold(stop: Stop) -> None:
        while not stop.is_set():
            writer.step()
            store.checkpoint()

    if mode != "journal":
        worker = Worker("writer", writer.run if mode == "run" else store_and_fold)
        journal.on_append = worker.wake
        worker.start()
    number = journal.last_position
    at_ms = 1_750_000_000_000 + number * MINUTE
    while True:
        batch = []
        for _ in range(chance.randrange(1, 60)):
            number += 1
            at_ms += chance.randrange(4 * MINUTE)
            batch.append(make_event(number, chance, at_ms))
        journal.append(batch)
        print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
