"""Threads and two loops fight over each kind of lock, with random cancels and time-outs, at every level."""

import asyncio
import os
import random
import threading
from collections.abc import Callable
from typing import get_args

import pytest

from seawall import Condition, DeadlineExceeded, Misuse, Mutex, ReadWriteLock, Semaphore, configure
from seawall.locks.order import HELD, HELD_BY_TASKS
from seawall.observe.settings import Level
from seawall.observe.waits import WAITS

IN_SUITE = 3_600  # a kind: over 10⁴ in all
IN_SOAK = int(os.environ.get("SOAK_CANCELS", "1000000"))
PATIENCE_S = 120.0
LEVELS = get_args(Level)


class Count:
    """Who is inside, by side, and how many waits were ended early. Its own lock keeps the counts honest."""

    def __init__(self, enough: int, limits: dict[str, int]) -> None:
        self.guard = threading.Lock()
        self.enough = enough
        self.limits = limits
        self.now = dict.fromkeys(limits, 0)
        self.entries = 0
        self.ended_early = 0
        self.errors: list[str] = []

    def enter(self, side: str) -> None:
        with self.guard:
            self.now[side] += 1
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
        try:
            lock.acquire(timeout_s=chance.choice([None, 0.0, 0.0002, 0.001]))
        except DeadlineExceeded:
            count.early()
            continue
        count.enter(name)
        count.leave(name)
        lock.release()


async def on_loop(sides: dict[str, object], count: Count, seed: int) -> None:
    chance = random.Random(seed)

    async def enter(name: str, timeout_s: float | None) -> None:
        lock = sides[name]
        try:
            await lock.acquire_async(timeout_s=timeout_s)
        except (DeadlineExceeded, asyncio.CancelledError):
            count.early()
            raise
        try:
            count.enter(name)
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
    for thread in threads:
        thread.join(patience_s)
    assert not [thread for thread in threads if thread.is_alive()], "a wake-up was lost"
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
        fight_over(kind, IN_SOAK // len(LEVELS) // 3, patience_s=3600)


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


def exchange(per_consumer: int, consumers: int) -> None:
    """Producers notify, consumers of both kinds wait, are cancelled and late: each item is taken exactly once."""
    mutex = Mutex("inbox")
    arrived = Condition(mutex)
    items: list[int] = []
    taken: list[int] = []
    total = per_consumer * consumers * 2

    def consume_in_thread(seed: int) -> None:
        chance, mine = random.Random(seed), 0
        while mine < per_consumer:
            with mutex:
                while not items:
                    try:
                        arrived.wait(timeout_s=chance.choice([None, 0.0, 0.0005]))
                    except DeadlineExceeded:
                        break
                if items:
                    taken.append(items.pop())
                    mine += 1

    async def consume_on_loop(seed: int) -> None:
        chance, mine = random.Random(seed), 0

        async def take() -> None:
            nonlocal mine
            async with mutex:
                while not items:
                    await arrived.wait_async()
                taken.append(items.pop())
                mine += 1

        while mine < per_consumer:
            task = asyncio.create_task(take())
            for _ in range(chance.randrange(5)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                task.cancel()
            outcome = (await asyncio.gather(task, return_exceptions=True))[0]
            assert outcome is None or isinstance(outcome, asyncio.CancelledError)

    def produce() -> None:
        for number in range(total):
            with mutex:
                items.append(number)
                arrived.notify()

    runs: list[Callable[[], None]] = [lambda seed=seed: consume_in_thread(seed) for seed in range(consumers)]
    runs += [lambda seed=seed: asyncio.run(consume_on_loop(seed)) for seed in range(10, 10 + consumers)]
    threads = [threading.Thread(target=run, daemon=True) for run in (*runs, produce)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not [thread for thread in threads if thread.is_alive()], "a notification was lost"
    assert sorted(taken) == list(range(total))
    assert arrived.waiters() == ()
    assert not mutex.locked()
    assert WAITS.now() == ()
    assert WAITS._waits == {}


@pytest.mark.parametrize("level", LEVELS)
def test_every_item_is_taken_once_and_no_notification_is_lost(level) -> None:
    configure(level=level)
    exchange(per_consumer=150, consumers=2)


@pytest.mark.soak
def test_the_same_for_long() -> None:
    for _ in range(100):
        exchange(per_consumer=500, consumers=3)


def test_misuse_takes_nothing() -> None:
    mutex = Mutex("m")
    for _ in range(100):
        with pytest.raises(Misuse):
            mutex.release()
    assert mutex.try_acquire()
    assert not mutex.try_acquire()
    mutex.release()
