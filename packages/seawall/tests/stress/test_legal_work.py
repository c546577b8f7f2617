"""Work that takes its locks in one order never is a deadlock, however busy it is; work that does not, always is found."""

import asyncio
import os
import random
import threading
import time

import pytest

from seawall import Deadlock, Mutex, ReadWriteLock, SeawallError, Semaphore, configure
from seawall.observe.events import EVENTS

IN_SUITE_S = 1.0
IN_SOAK_S = float(os.environ.get("SOAK_S", "60"))  # an hour: SOAK_S=3600
PATIENCE_S = 120.0


def ladder() -> list[object]:
    """Locks of every kind, to be taken from left to right."""
    config = ReadWriteLock("d config")
    return [
        Mutex("a"),
        Semaphore("b slots", 2),
        Mutex("c", order_key=1),
        Mutex("c", order_key=2),
        config,
        Semaphore("e slots", 3),
        Mutex("f"),
    ]


def chosen(locks: list[object], chance: random.Random) -> list[object]:
    """Some of them, in order; of a read-write lock either side."""
    picked = [lock for lock in locks if chance.random() < 0.4]
    return [
        (lock.read if chance.random() < 0.7 else lock.write) if isinstance(lock, ReadWriteLock) else lock
        for lock in picked
    ]


def work_legally(for_s: float) -> None:
    locks, errors = ladder(), []
    until_s = time.monotonic() + for_s
    found = EVENTS.findings()

    def take(left: list[object]) -> None:
        if left:
            with left[0]:
                take(left[1:])

    async def take_async(left: list[object]) -> None:
        if left:
            async with left[0]:
                await asyncio.sleep(0)
                await take_async(left[1:])

    def in_thread(seed: int) -> None:
        chance = random.Random(seed)
        try:
            while time.monotonic() < until_s and not errors:
                take(chosen(locks, chance))
        except SeawallError as error:
            errors.append(error)

    async def on_loop(seed: int) -> None:
        chance = random.Random(seed)

        async def one() -> None:
            task = asyncio.create_task(take_async(chosen(locks, chance)))
            for _ in range(chance.randrange(8)):
                await asyncio.sleep(0)
            if chance.random() < 0.2:
                task.cancel()
            outcome = (await asyncio.gather(task, return_exceptions=True))[0]
            if isinstance(outcome, Exception):
                errors.append(outcome)

        while time.monotonic() < until_s and not errors:
            await asyncio.gather(*[one() for _ in range(6)])

    threads = [threading.Thread(target=in_thread, args=(seed,), daemon=True) for seed in range(4)]
    threads += [threading.Thread(target=lambda s=s: asyncio.run(on_loop(s)), daemon=True) for s in (10, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(for_s + PATIENCE_S)
    assert not [thread for thread in threads if thread.is_alive()], "they hang"
    assert errors == []
    now = EVENTS.findings()
    assert (now.deadlocks_total, now.inversions_total) == (found.deadlocks_total, found.inversions_total)


def test_legal_work_raises_no_alarm() -> None:
    configure(level="ordered")
    work_legally(IN_SUITE_S)


@pytest.mark.soak
def test_long_legal_work_raises_no_alarm() -> None:
    configure(level="ordered")
    work_legally(IN_SOAK_S)


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
