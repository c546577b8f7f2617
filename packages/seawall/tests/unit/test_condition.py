import asyncio
import gc
import threading

import pytest

from seawall import Condition, DeadlineExceeded, Deadlock, LockOrderViolation, Misuse, Mutex, deadline


def until(is_so) -> None:
    pause = threading.Event()
    for _ in range(4000):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to be so")


def test_threads_and_tasks_are_notified_in_the_order_of_their_coming() -> None:
    mutex = Mutex("inbox")
    condition, woken = Condition(mutex), []

    def in_thread(number: int) -> None:
        with mutex:
            condition.wait()
            woken.append(number)

    async def in_task(number: int) -> None:
        async with mutex:
            await condition.wait_async()
            woken.append(number)

    threads = []
    for number in range(6):
        run = (lambda n=number: in_thread(n)) if number % 2 else (lambda n=number: asyncio.run(in_task(n)))
        threads.append(threading.Thread(target=run))
        threads[-1].start()
        until(lambda n=number: len(condition.waiters()) == n + 1)
    for number in range(3):
        with mutex:
            condition.notify()
        until(lambda n=number: len(woken) == n + 1)
    with mutex:
        condition.notify_all()
    for thread in threads:
        thread.join()
    assert woken == list(range(6))
    assert not mutex.locked()


def test_notify_wakes_n_and_no_more() -> None:
    mutex = Mutex("inbox")
    condition, woken = Condition(mutex), []

    async def wait(number: int) -> None:
        async with mutex:
            await condition.wait_async()
            woken.append(number)

    async def main() -> None:
        tasks = [asyncio.create_task(wait(n)) for n in range(4)]
        await asyncio.sleep(0)
        async with mutex:
            condition.notify(3)
        await asyncio.wait(tasks[:3])
        assert woken == [0, 1, 2]
        async with mutex:
            condition.notify(99)
        await tasks[3]

    asyncio.run(main())


def test_a_wait_that_is_late_raises_and_is_inside_again() -> None:
    mutex = Mutex("inbox")
    condition = Condition(mutex)
    with mutex:
        with pytest.raises(DeadlineExceeded):
            condition.wait(timeout_s=0.001)
        with deadline(0.001), pytest.raises(DeadlineExceeded):
            condition.wait()
        assert mutex.statistics().holders == ("thread MainThread",)

    async def main() -> None:
        async with mutex:
            with pytest.raises(DeadlineExceeded):
                await condition.wait_async(timeout_s=0.001)
            assert mutex.locked()

    asyncio.run(main())
    assert not mutex.locked()
    assert condition.waiters() == ()


def test_a_cancelled_waiter_passes_its_notification_on_and_is_inside_when_it_ends() -> None:
    mutex = Mutex("inbox")
    condition, ends = Condition(mutex), []

    async def wait(name: str) -> None:
        async with mutex:
            try:
                await condition.wait_async()
                ends.append(f"{name} woke")
            except asyncio.CancelledError:
                assert mutex._is_mine()
                ends.append(f"{name} cancelled")
                raise

    async def main() -> None:
        first, second = asyncio.create_task(wait("first")), asyncio.create_task(wait("second"))
        await asyncio.sleep(0)
        async with mutex:
            condition.notify()
            first.cancel()
        await second
        await asyncio.gather(first, return_exceptions=True)
        assert first.cancelled()

    asyncio.run(main())
    assert sorted(ends) == ["first cancelled", "second woke"]
    assert not mutex.locked()


def test_cancellation_while_entering_again_comes_after_the_mutex() -> None:
    mutex = Mutex("inbox")
    condition = Condition(mutex)

    async def wait() -> None:
        async with mutex:
            try:
                await condition.wait_async()
            finally:
                assert mutex._is_mine()

    async def main() -> None:
        waiter = asyncio.create_task(wait())
        await asyncio.sleep(0)
        async with mutex:
            condition.notify()
            await asyncio.sleep(0)
            waiter.cancel()  # it queues for the mutex by now
            await asyncio.sleep(0)
            assert not waiter.done()
        await asyncio.gather(waiter, return_exceptions=True)
        assert waiter.cancelled()

    asyncio.run(main())
    assert not mutex.locked()


def test_waiting_or_notifying_outside_the_mutex_is_misuse() -> None:
    mutex = Mutex("inbox")
    condition = Condition(mutex)
    for call in (condition.wait, condition.notify, condition.notify_all):
        with pytest.raises(Misuse):
            call()
    with mutex, pytest.raises(Misuse):
        condition.notify(-1)

    async def main() -> None:
        with pytest.raises(Misuse):
            await condition.wait_async()
        with mutex, pytest.raises(Misuse, match="wait_async"):
            condition.wait()

    asyncio.run(main())


def test_who_wants_what_a_notified_waiter_holds_before_leaving_the_mutex_closes_a_deadlock(watched, planting) -> None:
    mutex, other = Mutex("inbox"), Mutex("other")
    condition, outcome = Condition(mutex), []

    def wait() -> None:
        with other, mutex:
            condition.wait()
            outcome.append("woke")

    def notify() -> None:
        until(condition.waiters)
        try:
            with mutex:
                condition.notify()
                with other:
                    pass
        except Deadlock as error:
            outcome.append({wait.resource for wait in error.cycle})

    planting.run_all([("waiter", wait), ("notifier", notify)])
    assert sorted(outcome, key=str) == sorted([{"inbox", "other"}, "woke"], key=str)
    assert not mutex.locked()
    assert not other.locked()


def test_a_deadlock_on_the_way_back_in_ends_the_with_as_if_it_had_been_left(watched) -> None:
    mutex, other = Mutex("inbox"), Mutex("other")
    condition, through = Condition(mutex), []

    async def wait() -> None:
        async with other, mutex:
            await condition.wait_async()

    async def take_both() -> None:
        async with mutex:
            async with other:
                through.append(True)

    async def main() -> None:
        waiter = asyncio.create_task(wait())
        await asyncio.sleep(0)
        taker = asyncio.create_task(take_both())
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(Deadlock):
            await waiter
        await taker

    asyncio.run(main())
    assert through == [True]
    assert not mutex.locked()
    assert not other.locked()


def test_a_lock_that_comes_after_the_mutex_may_not_be_held_while_waiting(ordered) -> None:
    mutex, inner = Mutex("inbox"), Mutex("inner")
    condition = Condition(mutex)
    with mutex, inner, pytest.raises(LockOrderViolation):
        condition.wait()
    assert not mutex.locked()


def test_a_waiter_that_is_thrown_away_leaves_the_lock_of_others_alone() -> None:
    mutex = Mutex("inbox")
    condition = Condition(mutex)

    async def wait() -> None:
        async with mutex:
            await condition.wait_async()

    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(wait())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    abandoned._log_destroy_pending = False
    with mutex:
        abandoned.get_coro().close()
        assert mutex.locked()
    assert not mutex.locked()
    assert condition.waiters() == ()
    del abandoned
    gc.collect()
