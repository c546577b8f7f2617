"""Threads and two loops fight over each kind of lock, with random cancels and time-outs, at every level."""

import asyncio
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import get_args

import pytest

from seawall import Condition, DeadlineExceeded, Misuse, Mutex, ReadWriteLock, Semaphore, configure
from seawall.locks.order import HELD, HELD_BY_TASKS
from seawall.observe.settings import Level
from seawall.observe.waits import WAITS

IN_SUITE = 10_000  # of each kind of lock, as is the next
IN_SOAK = int(os.environ.get("SOAK_CANCELS", "1000000"))
PATIENCE_S = 120.0
LEVELS = get_args(Level)


class Count:
    """Who is inside, by side, and how many waits were ended early. Its own lock keeps the counts honest."""

    def __init__(self, enough: int, limits: dict[str, int]) -> None:
        self.guard = threading.Lock()
        self.enough = enough
        self.limits = limits
        # Whoever queues while somebody leaves may be overtaken by one newcomer for each permit, and by no other.
        self.permits = min(limits.values())
        self.now = dict.fromkeys(limits, 0)
        self.entries = 0
        self.ended_early = 0
        self.overtaken: dict[object, int] = {}
        self.errors: list[str] = []

    def enter(self, side: str, ahead: tuple[object, ...], lock: object) -> None:
        # Those still in line. Whoever is out of it already has a permit kept for it, though it may not know yet.
        queued = set(lock._line.queued()) if ahead else ()
        late = [waiter for waiter in ahead if waiter in queued]
        with self.guard:
            self.now[side] += 1
            for waiter in late:
                self.overtaken[waiter] = self.overtaken.get(waiter, 0) + 1
                if self.overtaken[waiter] > self.permits:
                    self.errors.append(f"{waiter} was overtaken {self.overtaken[waiter]} times")
            self.entries += 1
            others = sum(self.now.values()) - self.now[side]
            if self.now[side] > self.limits[side] or others:
                self.errors.append(f"{self.now} are inside")

    def leave(self, side: str) -> None:
        with self.guard:
            self.now[side] -= 1

    def early(self) -> None:
        with self.guard:
            self.ended_early += 1

    def is_over(self) -> bool:
        return self.ended_early >= self.enough or bool(self.errors)


def in_thread(sides: dict[str, object], count: Count, seed: int) -> None:
    chance = random.Random(seed)
    while not count.is_over():
        name = chance.choice(list(sides))
        lock = sides[name]
        ahead = tuple(lock._line.queued())
        try:
            lock.acquire(timeout_s=chance.choice([None, 0.0, 0.0002, 0.001]))
        except DeadlineExceeded:
            count.early()
            continue
        count.enter(name, ahead, lock)
        count.leave(name)
        lock.release()


async def on_loop(sides: dict[str, object], count: Count, seed: int) -> None:
    chance = random.Random(seed)

    async def enter(name: str, timeout_s: float | None) -> None:
        lock = sides[name]
        ahead = tuple(lock._line.queued())
        try:
            await lock.acquire_async(timeout_s=timeout_s)
        except (DeadlineExceeded, asyncio.CancelledError):
            count.early()
            raise
        try:
            count.enter(name, ahead, lock)
            await asyncio.sleep(0)
        finally:
            count.leave(name)
            lock.release()

    async def one(turns: int) -> None:
        task = asyncio.create_task(enter(chance.choice(list(sides)), chance.choice([None, None, 0.0, 0.0005])))
        for _ in range(turns):
            await asyncio.sleep(0)
        if chance.random() < 0.6:
            task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(outcome, Exception) and not isinstance(outcome, DeadlineExceeded):
            count.errors.append(repr(outcome))

    while not count.is_over():
        await asyncio.gather(*[one(chance.randrange(6)) for _ in range(10)])


def all_end(threads: list[threading.Thread], patience_s: float) -> bool:
    until_s = time.monotonic() + patience_s
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def fight(sides: dict[str, object], limits: dict[str, int], enough: int, patience_s: float) -> Count:
    count = Count(enough, limits)

    def guarded(run: Callable[[], None]) -> Callable[[], None]:
        def run_guarded() -> None:
            try:
                run()
            except BaseException as error:
                count.errors.append(repr(error))
                raise

        return run_guarded

    runs = [guarded(lambda seed=seed: in_thread(sides, count, seed)) for seed in range(3)]
    runs += [guarded(lambda seed=seed: asyncio.run(on_loop(sides, count, seed))) for seed in (10, 11)]
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    assert all_end(threads, patience_s), "a wake-up was lost"
    assert count.errors == []
    assert count.entries > 0
    assert WAITS.now() == ()
    assert WAITS._waits == {}
    assert WAITS._blocked_loops == {}
    assert HELD == HELD_BY_TASKS == {}
    return count


def fight_over(kind: str, enough: int, patience_s: float = PATIENCE_S) -> None:
    if kind == "mutex":
        mutex = Mutex("m")
        fight({"m": mutex}, {"m": 1}, enough, patience_s)
        assert mutex.try_acquire()
        assert mutex.statistics().waiters == ()
        mutex.release()
    elif kind == "semaphore":
        slots = Semaphore("s", 3)
        fight({"s": slots}, {"s": 3}, enough, patience_s)
        assert [slots.try_acquire() for _ in range(4)] == [True, True, True, False], "a permit leaked"
        slots.release(3)
    else:
        lock = ReadWriteLock("rw")
        fight({"read": lock.read, "write": lock.write}, {"read": 1000, "write": 1}, enough, patience_s)
        figures = lock.statistics()
        assert (figures.readers, figures.writer, figures.waiters) == ((), None, ())
        assert lock.write.try_acquire()
        lock.write.release()


@pytest.mark.parametrize("kind", ["mutex", "semaphore", "read-write"])
def test_no_overlap_no_lost_wake_up_no_leaked_permit(kind: str) -> None:
    for level in LEVELS:
        configure(level=level)
        fight_over(kind, IN_SUITE // len(LEVELS))


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["mutex", "semaphore", "read-write"])
def test_the_same_with_a_million_cancels_and_time_outs(kind: str) -> None:
    for level in LEVELS:
        configure(level=level)
        fight_over(kind, IN_SOAK // len(LEVELS), patience_s=3600)


def test_the_level_may_change_in_the_middle_of_the_fight() -> None:
    over = threading.Event()

    def change() -> None:
        chance = random.Random(1)
        while not over.wait(0.001):
            configure(level=chance.choice(LEVELS))

    changer = threading.Thread(target=change, daemon=True)
    changer.start()
    try:
        mutex, slots, lock = Mutex("m"), Semaphore("s", 2), ReadWriteLock("rw")
        count = Count(300, {"m": 1})
        for name, sides, limits in (
            ("mutex", {"m": mutex}, {"m": 1}),
            ("semaphore", {"s": slots}, {"s": 2}),
            ("read-write", {"read": lock.read, "write": lock.write}, {"read": 1000, "write": 1}),
        ):
            count = Count(300, limits)
            threads = [threading.Thread(target=in_thread, args=(sides, count, seed), daemon=True) for seed in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE_S)
            assert not [thread for thread in threads if thread.is_alive()], f"{name}: a wake-up was lost"
            assert count.errors == []
    finally:
        over.set()
        changer.join()


def exchange(enough: int, consumers: int, patience_s: float = PATIENCE_S) -> None:
    """Producers notify, consumers of both kinds wait, are cancelled and late: each item is taken exactly once."""
    mutex = Mutex("inbox")
    arrived = Condition(mutex)
    count = Count(enough, {"inbox": 1})
    items: deque[int] = deque()
    taken: list[int] = []
    produced = 0

    def consume_in_thread(seed: int) -> None:
        chance = random.Random(seed)
        while not count.is_over():
            with mutex:
                while not items:
                    try:
                        arrived.wait(timeout_s=chance.choice([None, 0.0, 0.0005]))
                    except DeadlineExceeded:
                        count.early()
                        break
                if items:
                    taken.append(items.popleft())

    async def consume_on_loop(seed: int) -> None:
        chance = random.Random(seed)

        async def take() -> None:
            async with mutex:
                while not items:
                    await arrived.wait_async(timeout_s=chance.choice([None, None, 0.0]))
                taken.append(items.popleft())

        while not count.is_over():
            tasks = [asyncio.create_task(take()) for _ in range(5)]
            for _ in range(chance.randrange(5)):
                await asyncio.sleep(0)
            for task in tasks:
                if chance.random() < 0.6:
                    task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, (asyncio.CancelledError, DeadlineExceeded)):
                    count.early()
                elif outcome is not None:
                    count.errors.append(repr(outcome))

    def produce() -> None:
        nonlocal produced
        while any(thread.is_alive() for thread in threads):
            with mutex:
                if len(items) < 2:
                    items.append(produced)
                    produced += 1
                    arrived.notify()

    runs: list[Callable[[], None]] = [lambda seed=seed: consume_in_thread(seed) for seed in range(consumers)]
    runs += [lambda seed=seed: asyncio.run(consume_on_loop(seed)) for seed in range(10, 10 + consumers)]
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    producer = threading.Thread(target=produce, daemon=True)
    for thread in (*threads, producer):
        thread.start()
    assert all_end([*threads, producer], patience_s), "a notification was lost"
    assert count.errors == []
    assert sorted((*taken, *items)) == list(range(produced))
    assert arrived.waiters() == ()
    assert not mutex.locked()
    assert WAITS.now() == ()
    assert WAITS._waits == {}


def test_every_item_is_taken_once_and_no_notification_is_lost() -> None:
    for level in LEVELS:
        configure(level=level)
        exchange(IN_SUITE // len(LEVELS), consumers=2)


@pytest.mark.soak
def test_the_same_with_a_million_waits_for_a_condition() -> None:
    for level in LEVELS:
        configure(level=level)
        exchange(IN_SOAK // len(LEVELS), consumers=3, patience_s=3600)


def test_misuse_takes_nothing() -> None:
    mutex = Mutex("m")
    for _ in range(100):
        with pytest.raises(Misuse):
            mutex.release()
    assert mutex.try_acquire()
    assert not mutex.try_acquire()
    mutex.release()
