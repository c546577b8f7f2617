import asyncio
import threading

import pytest

from seawall import DeadlineExceeded, Deadlock, Misuse, Mutex, deadline, snapshot


def started(run) -> threading.Thread:
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for_waiters(mutex: Mutex, count: int) -> None:
    """Poll, bounded, until `count` others stand in line."""
    pause = threading.Event()
    for _ in range(1000):
        if len(mutex.statistics().waiters) >= count:
            return
        pause.wait(0.005)
    raise AssertionError(f"never saw {count} waiters")


def test_one_object_serves_with_and_async_with() -> None:
    mutex = Mutex("m")

    async def enter() -> bool:
        async with mutex:
            return mutex.locked()

    with mutex:
        assert mutex.locked()
    assert not mutex.locked()
    assert asyncio.run(enter())
    assert not mutex.locked()


def test_a_thread_that_enters_again_gets_deadlock_at_once_and_still_holds() -> None:
    mutex = Mutex("accounts")
    with mutex:
        with pytest.raises(Deadlock) as caught, mutex:
            pass
        assert mutex.locked()
    assert not mutex.locked()
    assert caught.value.cycle[0].resource == "accounts"
    assert caught.value.cycle[0].holders == ("thread MainThread",)


def test_a_task_that_enters_again_gets_deadlock_at_once() -> None:
    mutex = Mutex("m")

    async def enter_twice() -> None:
        async with mutex:
            async with mutex:
                pass

    with pytest.raises(Deadlock):
        asyncio.run(enter_twice())
    assert not mutex.locked()


def test_async_with_inside_a_with_of_the_same_thread_is_deadlock() -> None:
    mutex = Mutex("m")

    async def mix() -> None:
        with mutex:
            async with mutex:
                pass

    with pytest.raises(Deadlock):
        asyncio.run(mix())
    assert not mutex.locked()


def test_with_on_a_loops_thread_for_what_its_task_holds_is_misuse() -> None:
    mutex = Mutex("m")

    async def main() -> None:
        held = asyncio.Event()
        go_on = asyncio.Event()

        async def hold() -> None:
            async with mutex:
                held.set()
                await go_on.wait()

        holder = asyncio.create_task(hold())
        await held.wait()
        with pytest.raises(Misuse), mutex:
            pass
        assert mutex.statistics().waiters == ()
        go_on.set()
        await holder

    asyncio.run(main())
    assert not mutex.locked()


def test_with_on_a_loops_thread_behind_a_waiting_task_of_that_loop_is_misuse() -> None:
    mutex = Mutex("m")
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with mutex:
            held.set()
            go_on.wait(10)

    async def main() -> None:
        async def enter() -> None:
            async with mutex:
                pass

        waiting = asyncio.create_task(enter())
        await asyncio.sleep(0)
        with pytest.raises(Misuse), mutex:
            pass
        go_on.set()
        await waiting

    holder = started(hold)
    held.wait(10)
    asyncio.run(main())
    holder.join()
    assert not mutex.locked()


def test_with_on_a_loops_thread_waits_for_another_thread() -> None:
    mutex = Mutex("m")
    held = threading.Event()

    def hold() -> None:
        with mutex:
            held.set()
            wait_for_waiters(mutex, 1)

    async def main() -> None:
        with mutex:
            pass

    holder = started(hold)
    held.wait(10)
    asyncio.run(main())
    holder.join()
    assert mutex.statistics().waits_total == 1


def test_threads_and_tasks_are_served_in_the_order_of_their_coming() -> None:
    mutex = Mutex("m")
    order: list[int] = []
    threads: list[threading.Thread] = []

    def in_thread(number: int) -> None:
        with mutex:
            order.append(number)

    async def in_task(number: int) -> None:
        async with mutex:
            order.append(number)

    with mutex:
        for number in range(8):
            run = (lambda n=number: in_thread(n)) if number % 2 else (lambda n=number: asyncio.run(in_task(n)))
            threads.append(started(run))
            wait_for_waiters(mutex, number + 1)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_a_wait_ends_with_its_timeout_and_leaves_the_line() -> None:
    mutex = Mutex("m")
    errors: list[BaseException] = []

    def wait() -> None:
        try:
            mutex.acquire(timeout_s=0.01)
        except TimeoutError as error:
            errors.append(error)

    with mutex:
        started(wait).join()
        assert mutex.statistics().waiters == ()
    assert isinstance(errors[0], DeadlineExceeded)
    assert mutex.try_acquire()
    mutex.release()


def test_a_wait_ends_with_the_ambient_deadline_in_a_task_too() -> None:
    mutex = Mutex("m")

    async def main() -> None:
        async def late() -> None:
            with deadline(0.01):
                async with mutex:
                    raise AssertionError("entered what is held")

        async with mutex:
            with pytest.raises(DeadlineExceeded):
                await asyncio.shield(late())  # unshielded it would be a deadlock of this task and that one
            with pytest.raises(DeadlineExceeded):
                await asyncio.create_task(mutex.acquire_async(timeout_s=0))
        assert not mutex.locked()

    asyncio.run(main())


def test_a_cancelled_waiter_passes_on_what_it_was_given() -> None:
    mutex = Mutex("m")

    async def main() -> None:
        entered: list[str] = []

        async def enter(name: str) -> None:
            async with mutex:
                entered.append(name)

        await mutex.acquire_async()
        first = asyncio.create_task(enter("first"))
        second = asyncio.create_task(enter("second"))
        await asyncio.sleep(0)
        mutex.release()  # given to first, which is not awake yet
        first.cancel()
        await asyncio.wait_for(second, 10)
        assert first.cancelled()
        assert entered == ["second"]

    asyncio.run(main())
    assert not mutex.locked()


def test_release_by_someone_else_is_misuse() -> None:
    mutex = Mutex("m")
    with pytest.raises(Misuse, match="nobody holds it"):
        mutex.release()
    holder = started(mutex.acquire)
    holder.join()
    with pytest.raises(Misuse, match="holds it"):
        mutex.release()
    assert mutex.locked()


def test_snapshot_shows_holders_and_waiters() -> None:
    mutex = Mutex("shown")
    with mutex:
        waiter = started(lambda: mutex.acquire(timeout_s=10))
        wait_for_waiters(mutex, 1)
        shown = next(lock for lock in snapshot().locks if lock.name == "shown")
    waiter.join()
    assert shown.holders == ("thread MainThread",)
    assert shown.waiters[0].who.startswith("thread ")
