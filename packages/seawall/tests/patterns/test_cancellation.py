"""The handbook's page docs/patterns/cancellation.md: the traps, and the fixes."""

import asyncio
import concurrent.futures
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from seawall import DeadlineExceeded, Mutex, ResourcePool, Semaphore, ThreadPool, deadline, remaining_s
from seawall.testing import Held


class NaiveSemaphore:
    """Hands a permit to the first waiter by setting its future. asyncio's own had this shape for years."""

    def __init__(self, permits: int) -> None:
        self.free = permits
        self.waiters: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        if self.free:
            self.free -= 1
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append(granted)
        await granted

    def release(self) -> None:
        while self.waiters:
            granted = self.waiters.popleft()
            if not granted.done():
                granted.set_result(None)
                return
        self.free += 1


async def waiter_is_cancelled_just_after_it_was_let_in(semaphore: NaiveSemaphore | Semaphore) -> None:
    """Somebody is inside, another waits; the first leaves, and the other is cancelled before it runs again."""
    enter = semaphore.acquire_async if isinstance(semaphore, Semaphore) else semaphore.acquire
    await enter()
    waiter = asyncio.ensure_future(enter())
    await asyncio.sleep(0)
    semaphore.release()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter


def test_trap_a_waiter_cancelled_just_after_it_was_let_in_takes_the_permit_along() -> None:
    semaphore = NaiveSemaphore(1)
    asyncio.run(waiter_is_cancelled_just_after_it_was_let_in(semaphore))
    assert (semaphore.free, len(semaphore.waiters)) == (0, 0)  # nobody is inside, and nobody will ever be let in again


def test_fix_a_cancelled_waiter_passes_on_what_it_was_given() -> None:
    semaphore = Semaphore("exports", 1)
    asyncio.run(waiter_is_cancelled_just_after_it_was_let_in(semaphore))
    assert semaphore.statistics().free == 1


def test_trap_who_waits_gives_up_and_the_work_is_done_all_the_same() -> None:
    done: list[int] = []
    busy = Held(None)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(busy)
        for number in range(10):
            with pytest.raises(concurrent.futures.TimeoutError):
                pool.submit(done.append, number).result(timeout=0.01)
        busy.let_go()
    assert done == list(range(10))  # each for somebody who was told long ago that it did not work


def test_fix_work_whose_deadline_passed_in_the_queue_is_not_begun() -> None:
    done: list[int] = []
    busy = Held(None)
    with ThreadPool("pages", max_threads=1, spare_threads=0) as pool:
        pool.submit(busy)
        for number in range(10):
            with deadline(0.01), pytest.raises(DeadlineExceeded):
                pool.submit(done.append, number).result()
        busy.let_go()
    assert done == []


def test_fix_work_whose_task_is_cancelled_leaves_the_queue() -> None:
    done: list[int] = []
    busy = Held(None)

    async def main(pool: ThreadPool) -> int:
        pool.submit(busy)
        clients = [asyncio.ensure_future(pool.run(done.append, number)) for number in range(10)]
        await asyncio.sleep(0)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        return pool.statistics().queued

    with ThreadPool("pages", max_threads=1) as pool:
        queued = asyncio.run(main(pool))
        busy.let_go()
    assert (queued, done) == (0, [])


def test_trap_work_that_has_begun_goes_on_to_its_end_though_nobody_wants_it() -> None:
    first_step = Held(None)
    done: list[int] = []

    def report() -> None:
        first_step()
        done.extend(range(100))

    async def main(pool: ThreadPool) -> None:
        client = asyncio.ensure_future(pool.run(report))
        await asyncio.to_thread(first_step.wait_begun)
        client.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client

    with ThreadPool("reports", max_threads=1) as pool:
        asyncio.run(main(pool))
        first_step.let_go()
    assert len(done) == 100


def test_fix_a_step_at_a_time_so_that_a_client_who_left_has_no_next_step() -> None:
    first_step = Held(None)
    done: list[int] = []

    async def report(pool: ThreadPool) -> None:
        await pool.run(first_step)
        for number in range(100):
            await pool.run(done.append, number)

    async def main(pool: ThreadPool) -> None:
        client = asyncio.ensure_future(report(pool))
        await asyncio.to_thread(first_step.wait_begun)
        client.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client

    with ThreadPool("reports", max_threads=1) as pool:
        asyncio.run(main(pool))
        first_step.let_go()
    assert done == []


def test_fix_work_on_a_thread_looks_at_the_deadline_between_its_steps() -> None:
    done: list[int] = []

    def report() -> None:
        for number in range(100):
            left_s = remaining_s()
            if left_s is not None and left_s <= 0:
                raise DeadlineExceeded("report", 0.0)
            done.append(number)
            if number == 2:
                with pytest.raises(DeadlineExceeded):
                    Semaphore("slow", 0).acquire()  # this step takes all the time that was left

    with ThreadPool("reports", max_threads=1) as pool:
        with deadline(0.3):
            asked = pool.submit(report)
        assert isinstance(asked.exception(30), DeadlineExceeded)
    assert done in ([0, 1, 2], [])  # none where a busy machine did not begin it in time


def test_trap_who_catches_everything_and_tries_again_cannot_be_cancelled() -> None:
    is_over = False

    async def keeps_trying() -> None:
        while not is_over:
            try:
                await asyncio.sleep(0)
                raise ConnectionError
            except BaseException:  # as a bare `except:`; CancelledError is none of Exception's since Python 3.8
                continue

    async def main() -> bool:
        nonlocal is_over
        task = asyncio.ensure_future(keeps_trying())
        for _ in range(10):
            await asyncio.sleep(0)
            task.cancel()
        was_stopped = task.done()
        is_over = True
        await asyncio.wait([task])
        return was_stopped

    assert not asyncio.run(main())


def test_trap_a_second_cancellation_ends_the_clean_up_of_the_first() -> None:
    steps: list[str] = []

    async def transfer() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            steps.append("roll back …")
            await asyncio.sleep(0)  # the server's answer
            steps.append("rolled back")

    asyncio.run(cancelled_twice(transfer()))
    assert steps == ["roll back …"]


def test_fix_clean_up_on_the_pools_own_lane_is_carried_out_whoever_is_cancelled() -> None:
    steps: list[str] = []

    async def transfer(pool: ThreadPool) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await pool.run_cleanup(steps.append, "rolled back")

    with ThreadPool("database", max_threads=1) as pool:
        asyncio.run(cancelled_twice(transfer(pool)))
    assert steps == ["rolled back"]


async def cancelled_twice(coroutine) -> None:
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


class Connection:
    """Answers come in the order of the questions, as with most protocols."""

    def __init__(self) -> None:
        self.asked: deque[str] = deque()

    async def ask(self, question: str) -> str:
        self.asked.append(question)
        await asyncio.sleep(0)
        return f"answer to {self.asked.popleft()}"


async def client_leaves_in_the_middle(ask) -> str:
    leaving = asyncio.ensure_future(ask("Anna's balance"))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    return await ask("Bert's balance")


def test_trap_a_connection_given_back_in_the_middle_of_a_conversation_answers_the_next_one_wrongly() -> None:
    async def main() -> str:
        idle: asyncio.Queue[Connection] = asyncio.Queue(1)
        idle.put_nowait(Connection())

        async def ask(question: str) -> str:
            connection = await idle.get()
            try:
                return await connection.ask(question)
            finally:
                idle.put_nowait(connection)

        return await client_leaves_in_the_middle(ask)

    assert asyncio.run(main()) == "answer to Anna's balance"  # Bert reads it


def test_fix_what_was_in_use_when_its_task_was_cancelled_is_not_lent_again() -> None:
    async def main() -> tuple[str, int]:
        pool = ResourcePool("db", Connection, max_size=1)

        async def ask(question: str) -> str:
            async with pool.borrow() as connection:
                return await connection.ask(question)

        answer = await client_leaves_in_the_middle(ask)
        broken = pool.statistics().broken_total
        pool.close()
        return answer, broken

    assert asyncio.run(main()) == ("answer to Bert's balance", 1)


def test_fix_a_block_that_is_cancelled_leaves_its_mutex() -> None:
    async def main() -> bool:
        mutex = Mutex("accounts")

        async def inside() -> None:
            async with mutex:
                await asyncio.sleep(3600)

        await cancelled_twice(inside())
        return mutex.locked()

    assert not asyncio.run(main())
