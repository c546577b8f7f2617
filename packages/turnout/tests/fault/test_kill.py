"""kill -9 at any moment: what was acknowledged is there exactly once, and visits are as a recount has them."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from turnout.ingest.writer import Writer
from turnout.store.duckdb.database import EventDatabase

HERE = Path(__file__).parent


def sibling(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


driver, recount = sibling("crash_driver"), sibling("recount")


def run_and_kill(directory: Path, seed: int, mode: str, after_lines: int) -> int:
    """Run the driver until it has acknowledged so many batches, and kill it. The last event it acknowledged."""
    command = [sys.executable, str(HERE / "crash_driver.py"), str(directory), str(seed), mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = 0
        for _ in range(after_lines):
            acknowledged = int(process.stdout.readline())
        process.kill()
        for line in process.stdout:  # what it had said before the kill reached it; a cut line is not said
            if line.endswith("\n"):
                acknowledged = int(line)
    assert process.returncode == -9
    return acknowledged


def check(directory: Path, acknowledged: int) -> None:
    """Open what is left, store the rest of the journal, and compare."""
    database = EventDatabase(directory / "events.duckdb")
    store = database.writer()
    journal = driver.open_journal(directory, store.position())
    writer = Writer(journal, store)
    while writer.step():
        pass
    connection = database.connect()
    numbers = [
        n for (n,) in connection.execute("SELECT CAST(page[2:] AS BIGINT) FROM events ORDER BY position").fetchall()
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= acknowledged
    assert recount.visits_as_stored(connection) == recount.visits_from_events(connection)
    journal.close()
    database.close()


def test_acknowledged_events_survive_kills_at_random_moments_exactly_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    for round_ in range(5):
        acknowledged = run_and_kill(tmp_path, round_, "run", chance.randrange(1, 150))
        if round_ % 2:
            check(tmp_path, acknowledged)
    check(tmp_path, acknowledged)


def test_a_kill_between_journal_and_store_loses_nothing(tmp_path: Path) -> None:
    check(tmp_path, run_and_kill(tmp_path, 1, "journal", 20))


def test_a_kill_in_mid_checkpoint_loses_nothing(tmp_path: Path) -> None:
    for seed in range(3):
        acknowledged = run_and_kill(tmp_path, seed, "checkpoint", 40 + 17 * seed)
        check(tmp_path, acknowledged)


@pytest.mark.soak
def test_fifty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(8)
    for round_ in range(50):
        check(tmp_path, run_and_kill(tmp_path, round_, chance.choice(["run", "checkpoint"]), chance.randrange(1, 200)))
