"""docs/patterns/fairness.md: who waits is overtaken by whoever comes, and may wait for ever."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep

from seawall import Fixed, Gate, ReadWriteLock, Semaphore, ThreadPool, Workload

ROUNDS = 1_000


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(60_000):
        if is_so():
            return
        sleep(0.001)
    raise AssertionError("it never came to be")


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@contextmanager
def no_thread_is_interrupted() -> Iterator[None]:
    """A thread runs on until it blocks, as it mostly does; so that nothing here is by chance."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(60.0)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)


def test_trap_one_thread_takes_a_plain_semaphore_a_thousand_times_over_while_another_waits() -> None:
    semaphore, entered = threading.Semaphore(1), threading.Event()
    semaphore.acquire()
    waiter = threading.Thread(target=lambda: (semaphore.acquire(timeout=60), entered.set()))
    waiter.start()
    until(lambda: len(semaphore._cond._waiters) == 1)  # type: ignore[attr-defined]  # it stands in line
    with no_thread_is_interrupted():
        for _ in range(ROUNDS):
            semaphore.release()  # wakes the waiter, which has to come and take the permit itself
            assert semaphore.acquire(blocking=False)  # it is gone when it comes
        assert not entered.is_set()
    semaphore.release()
    waiter.join(60)
    assert entered.is_set()


def test_fix_a_permit_is_handed_to_who_stands_first_and_nobody_can_take_it_on_the_way() -> None:
    semaphore, order = Semaphore("exports", 1), []

    def take(name: str) -> None:
        semaphore.acquire(timeout_s=60)
        order.append(name)
        semaphore.release()

    semaphore.acquire()
    with ThreadPool("visitors", max_threads=1) as pool:
        waiter = pool.submit(take, "waiter")
        until(lambda: len(semaphore.statistics().waiters) == 1)
        with no_thread_is_interrupted():
            semaphore.release()
            assert not semaphore.try_acquire()
            take("newcomer")
        waiter.result(60)
    assert order == ["waiter", "newcomer"]


def test_fix_threads_and_tasks_stand_in_one_line_in_the_order_of_their_coming() -> None:
    semaphore, order = Semaphore("exports", 1), []

    def thread(number: int) -> None:
        with semaphore:
            order.append(number)

    async def task(number: int) -> None:
        async with semaphore:
            order.append(number)

    async def main(pool: ThreadPool) -> None:
        await semaphore.acquire_async()
        visitors = []
        for number in range(6):
            visit = task(number) if number % 2 else pool.run(thread, number)
            visitors.append(asyncio.ensure_future(visit))
            while len(semaphore.statistics().waiters) <= number:  # noqa: ASYNC110 - threads are among them
                await asyncio.sleep(0)
        semaphore.release()
        await asyncio.gather(*visitors)

    with ThreadPool("visitors", min_threads=3, max_threads=3) as pool:
        asyncio.run(main(pool))
    assert order == [0, 1, 2, 3, 4, 5]


class NaiveReadWriteLock:
    """A reader may enter while others read: what one writes first."""

    def __init__(self) -> None:
        self.readers = 0

    def try_read(self) -> bool:
        self.readers += 1
        return True

    def leave(self) -> None:
        self.readers -= 1

    def try_write(self) -> bool:
        return self.readers == 0


def test_trap_readers_who_take_turns_keep_a_writer_out_for_ever() -> None:
    lock = NaiveReadWriteLock()
    lock.try_read()
    for _ in range(ROUNDS):
        assert lock.try_read()  # the next comes before the last one leaves
        lock.leave()
        assert not lock.try_write()


def test_fix_a_reader_who_comes_after_a_writer_goes_in_after_it() -> None:
    async def main() -> list[str]:
        lock, order = ReadWriteLock("config"), []

        async def enter(side, name: str) -> None:
            async with side:
                order.append(name)

        async with lock.read:
            writer = asyncio.ensure_future(enter(lock.write, "writer"))
            await settle()
            assert not lock.read.try_acquire()
            reader = asyncio.ensure_future(enter(lock.read, "reader"))
            await settle()
            assert order == []
        await asyncio.gather(writer, reader)
        return order

    assert asyncio.run(main()) == ["writer", "reader"]


async def exports_let_in(gate: Gate, pages: int) -> int:
    """Pages keep coming: for each that leaves, another one waits. How many exports were let in meanwhile."""
    leave, let_in = [asyncio.Event() for _ in range(pages)], 0

    async def page(number: int) -> None:
        async with gate.admit("page"):
            await leave[number].wait()

    async def export() -> None:
        nonlocal let_in
        async with gate.admit("export"):
            let_in += 1

    tasks = [asyncio.ensure_future(page(number)) for number in range(8)]
    await settle()
    exports = [asyncio.ensure_future(export()) for _ in range(3)]
    for number in range(8, pages):
        tasks.append(asyncio.ensure_future(page(number)))
        leave[number - 8].set()
        await settle()
    meanwhile = let_in
    for event in leave:
        event.set()
    await asyncio.gather(*tasks, *exports)
    return meanwhile


def test_trap_strict_priority_starves_whoever_has_least_of_it() -> None:
    pages = Workload("page", priority="interactive", deadline_s=600.0)
    exports = Workload("export", priority="background", deadline_s=600.0)
    assert asyncio.run(exports_let_in(Gate("web", Fixed(4), [pages, exports]), pages=100)) == 0


def test_fix_a_share_is_small_and_comes_to_pass() -> None:
    pages = Workload("page", priority="interactive", deadline_s=600.0)
    exports = Workload("export", priority="background", share=0.25, deadline_s=600.0)
    assert asyncio.run(exports_let_in(Gate("web", Fixed(4), [pages, exports]), pages=100)) == 3
