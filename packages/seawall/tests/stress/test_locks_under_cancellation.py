"""Threads and two event loops fight over one lock, with random cancels and time-outs."""

import asyncio
import random
import threading

import pytest

from seawall import DeadlineExceeded, Mutex, Semaphore

ROUNDS = 4000


class Inside:
    """Counts who is inside. Its own lock keeps the count itself honest."""

    def __init__(self, permits: int) -> None:
        self.permits = permits
        self.now = 0
        self.entries = 0
        self.overlaps = 0
        self.guard = threading.Lock()

    def enter(self) -> None:
        with self.guard:
            self.now += 1
            self.entries += 1
            self.overlaps += self.now > self.permits

    def leave(self) -> None:
        with self.guard:
            self.now -= 1


def in_thread(lock: Mutex | Semaphore, inside: Inside, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        try:
            lock.acquire(timeout_s=chance.choice([None, 0.0, 0.0005, 0.002]))
        except DeadlineExceeded:
            continue
        inside.enter()
        inside.leave()
        lock.release()


async def on_loop(lock: Mutex | Semaphore, inside: Inside, seed: int) -> None:
    chance = random.Random(seed)

    async def enter(timeout_s: float | None) -> None:
        try:
            await lock.acquire_async(timeout_s=timeout_s)
        except DeadlineExceeded:
            return
        try:
            inside.enter()
            await asyncio.sleep(0)
        finally:
            inside.leave()
            lock.release()

    async def one(turns: int) -> None:
        task = asyncio.create_task(enter(chance.choice([None, None, 0.0, 0.001])))
        for _ in range(turns):
            await asyncio.sleep(0)
        if chance.random() < 0.4:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for _ in range(ROUNDS // 10):
        await asyncio.gather(*[one(chance.randrange(6)) for _ in range(10)])


@pytest.mark.parametrize(("kind", "permits"), [("mutex", 1), ("semaphore", 1), ("semaphore", 3)])
def test_no_overlap_no_lost_wake_up_and_no_leaked_permit(kind: str, permits: int) -> None:
    lock = Mutex("m") if kind == "mutex" else Semaphore("s", permits)
    inside = Inside(permits)
    threads = [threading.Thread(target=in_thread, args=(lock, inside, seed)) for seed in range(4)]
    threads += [
        threading.Thread(target=lambda seed=seed: asyncio.run(on_loop(lock, inside, seed))) for seed in (10, 11)
    ]
    for thread in threads:
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not [thread for thread in threads if thread.is_alive()], "a wake-up was lost"
    assert inside.overlaps == 0
    assert inside.entries > ROUNDS
    assert lock.statistics().waiters == ()
    assert lock._line.in_transit() == []
    taken = 0
    while lock.try_acquire():
        taken += 1
    assert taken == permits, "a permit leaked"
