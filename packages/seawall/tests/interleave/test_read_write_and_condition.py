"""The read-write lock and the condition in many orders: threads may change between any two of their bytecodes."""

import asyncio

import pytest

from seawall import Condition, DeadlineExceeded, Deadlock, Mutex, ReadWriteLock, configure
from seawall.observe.waits import WAITS
from seawall.testing.interleavings import Interleaving, explore


class Room:
    """Checks who is inside at once."""

    def __init__(self) -> None:
        self.readers = 0
        self.writers = 0

    def read(self) -> None:
        self.readers += 1
        assert self.writers == 0
        self.readers -= 1

    def write(self) -> None:
        self.writers += 1
        assert (self.readers, self.writers) == (0, 1)
        self.writers -= 1


def assert_free(lock: ReadWriteLock) -> None:
    figures = lock.statistics()
    assert (figures.readers, figures.writer, figures.waiters) == ((), None, ())
    assert lock.write.try_acquire()
    assert WAITS.now() == ()
    assert WAITS._waits == {}


def readers_and_writers_that_may_be_late(run: Interleaving):
    lock, room = ReadWriteLock("rw"), Room()

    def read() -> None:
        for timeout_s in (None, 0.0):
            try:
                lock.read.acquire(timeout_s=timeout_s)
            except DeadlineExceeded:
                continue
            room.read()
            lock.read.release()

    def write() -> None:
        for timeout_s in (1.0, None):
            try:
                lock.write.acquire(timeout_s=timeout_s)
            except DeadlineExceeded:
                continue
            room.write()
            lock.write.release()

    run.thread(read)
    run.thread(read)
    run.thread(write)
    return lambda: assert_free(lock)


def readers_and_writers_that_are_cancelled(run: Interleaving):
    lock, room = ReadWriteLock("rw"), Room()

    def write() -> None:
        for _ in range(2):
            with lock.write:
                room.write()

    async def main() -> None:
        async def read() -> None:
            async with lock.read:
                room.read()

        async def write_async() -> None:
            async with lock.write:
                room.write()

        tasks = [asyncio.ensure_future(part()) for part in (read, write_async, read, read)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run.thread(write)
    run.tasks(main)
    return lambda: assert_free(lock)


def waiters_that_are_notified_or_late(run: Interleaving):
    mutex, items, taken = Mutex("m"), [], []
    arrived = Condition(mutex)

    def take(timeout_s: float | None) -> None:
        with mutex:
            while not items:
                try:
                    arrived.wait(timeout_s=timeout_s)
                except DeadlineExceeded:
                    timeout_s = None
            taken.append(items.pop())

    def put() -> None:
        for number in range(2):
            with mutex:
                items.append(number)
                arrived.notify()

    run.thread(lambda: take(None))
    run.thread(lambda: take(1.0))
    run.thread(put)

    def check() -> None:
        assert sorted(taken) == [0, 1]
        assert not mutex.locked()
        assert arrived.waiters() == ()
        assert WAITS.now() == ()
        assert WAITS._waits == {}

    return check


def two_in_opposite_directions(run: Interleaving):
    first, second = Mutex("first"), ReadWriteLock("second")
    outcome: list[str] = []

    def enter(mine, other) -> None:
        try:
            with mine, other:
                outcome.append("through")
        except Deadlock:
            outcome.append("refused")

    run.thread(lambda: enter(first, second.write))
    run.thread(lambda: enter(second.read, first))

    def check() -> None:
        assert len(outcome) == 2
        assert outcome.count("refused") <= 1
        assert not first.locked()
        assert_free(second)

    return check


@pytest.mark.parametrize(
    "scenario",
    [
        readers_and_writers_that_may_be_late,
        readers_and_writers_that_are_cancelled,
        waiters_that_are_notified_or_late,
        two_in_opposite_directions,
    ],
)
def test_in_any_order_it_holds(scenario) -> None:
    configure(level="watched")
    explore(scenario, runs=150)


@pytest.mark.soak
@pytest.mark.parametrize(
    "scenario",
    [
        readers_and_writers_that_may_be_late,
        readers_and_writers_that_are_cancelled,
        waiters_that_are_notified_or_late,
        two_in_opposite_directions,
    ],
)
def test_in_very_many_orders_it_holds(scenario) -> None:
    for level in ("watched", "timed"):
        configure(level=level, on_inversion="off")
        explore(scenario, runs=5_000, seed=1)
