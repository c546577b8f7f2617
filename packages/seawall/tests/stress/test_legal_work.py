"""Work that takes its locks in one order never is a deadlock, however busy it is; work that does not, always is found."""

import asyncio
import os
import random
import threading
import traceback
from types import ModuleType

import pytest

from seawall import Deadlock, Mutex, configure
from seawall.observe.events import EVENTS

IN_SUITE_S = 1.0
IN_SOAK_S = float(os.environ.get("SOAK_S", "60"))  # an hour: SOAK_S=3600
PATIENCE_S = 120.0


def work_legally(legal: ModuleType, for_s: float) -> None:
    found = EVENTS.findings()
    tally, works = legal.work_legally(for_s)
    now = EVENTS.findings()
    waits = works.waits_total()
    print(f"{tally.rounds:,} rounds, {waits:,} waits, {tally.late:,} late, {tally.cancelled:,} cancelled")
    for error in tally.errors:
        traceback.print_exception(error)
    assert tally.errors == []
    assert (now.deadlocks_total, now.inversions_total) == (found.deadlocks_total, found.inversions_total)
    assert min(tally.rounds, waits, tally.late, tally.cancelled) > 0


def test_legal_work_raises_no_alarm(legal) -> None:
    configure(level="ordered")
    work_legally(legal, IN_SUITE_S)


@pytest.mark.soak
def test_long_legal_work_raises_no_alarm(legal) -> None:
    configure(level="ordered")
    work_legally(legal, IN_SOAK_S)


def philosophers(rounds: int, seats: int) -> int:
    """Threads and tasks that each want both of their forks, left first: the known way to a deadlock. Tells how many."""
    forks = [Mutex(f"fork {n}") for n in range(seats)]
    refused, done = [], []

    def in_thread(seat: int) -> None:
        for _ in range(rounds):
            try:
                with forks[seat]:
                    with forks[(seat + 1) % seats]:
                        pass
            except Deadlock as error:
                refused.append(error)
        done.append(seat)

    async def in_task(seat: int) -> None:
        for _ in range(rounds):
            try:
                async with forks[seat]:
                    await asyncio.sleep(0)
                    async with forks[(seat + 1) % seats]:
                        pass
            except Deadlock as error:
                refused.append(error)
        done.append(seat)

    runs = [lambda seat=seat: in_thread(seat) for seat in range(0, seats, 2)]
    runs += [lambda seat=seat: asyncio.run(in_task(seat)) for seat in range(1, seats, 2)]
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(done) == seats, "a deadlock was not found"
    assert all(len(error.cycle) == seats for error in refused)
    assert not any(fork.locked() for fork in forks)
    return len(refused)


def test_every_deadlock_that_hungry_philosophers_run_into_is_found_and_broken() -> None:
    configure(level="watched")
    philosophers(rounds=1500, seats=2)
    philosophers(rounds=1500, seats=3)


def plant_rings(planting, count: int) -> None:
    chance = random.Random(count)
    for _ in range(count):
        kinds = [chance.choice(("thread", "task")) for _ in range(chance.randrange(2, 6))]
        mutexes = [Mutex(f"m{n}") for n in range(len(kinds))]
        outcome = planting.plant(kinds, [(mutexes[n], mutexes[n - 1]) for n in range(len(kinds))])
        assert len(outcome.refused) == 1
        assert len(outcome.through) == len(kinds) - 1
        assert len(outcome.refused[0][1].cycle) == len(kinds)


def test_each_of_100_planted_rings_is_broken_by_refusing_one(planting) -> None:
    configure(level="watched")
    plant_rings(planting, 100)


@pytest.mark.soak
def test_each_of_10_000_planted_rings_is_broken_by_refusing_one(planting) -> None:
    configure(level="watched")
    plant_rings(planting, 10_000)


@pytest.mark.soak
def test_hungry_philosophers_for_long() -> None:
    configure(level="watched")
    for _ in range(20):
        philosophers(rounds=20_000, seats=2)
        philosophers(rounds=5_000, seats=5)
