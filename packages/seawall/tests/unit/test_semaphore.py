import asyncio

import pytest

from seawall import DeadlineExceeded, Misuse, Semaphore


def test_no_more_than_its_permits_are_inside() -> None:
    semaphore = Semaphore("s", 2)
    inside, most = 0, 0

    async def enter() -> None:
        nonlocal inside, most
        async with semaphore:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def main() -> None:
        await asyncio.gather(*[enter() for _ in range(20)])

    asyncio.run(main())
    assert most == 2
    assert semaphore.statistics().free == 2


def test_anyone_may_release_also_above_the_permits() -> None:
    semaphore = Semaphore("s", 0)
    assert not semaphore.try_acquire()
    semaphore.release(2)
    assert semaphore.try_acquire()
    semaphore.acquire()
    with pytest.raises(DeadlineExceeded):
        semaphore.acquire(timeout_s=0)


def test_only_with_has_a_holder() -> None:
    semaphore = Semaphore("s", 3)
    semaphore.acquire()
    with semaphore, semaphore:
        assert semaphore.statistics().holders == ("thread MainThread",) * 2
    assert semaphore.statistics().holders == ()
    assert semaphore.statistics().free == 2


def test_with_on_a_loops_thread_is_misuse_only_where_no_permit_can_come_from_outside() -> None:
    async def main(permits_elsewhere: int) -> None:
        semaphore = Semaphore("s", 1 + permits_elsewhere)
        for _ in range(permits_elsewhere):
            semaphore.acquire()
        go_on = asyncio.Event()

        async def hold() -> None:
            async with semaphore:
                await go_on.wait()

        holder = asyncio.create_task(hold())
        await asyncio.sleep(0)
        expected = DeadlineExceeded if permits_elsewhere else Misuse
        with pytest.raises(expected):
            semaphore.acquire(timeout_s=0)
        go_on.set()
        await holder

    asyncio.run(main(0))
    asyncio.run(main(1))


def test_with_on_a_loops_thread_waits_for_a_permit_that_anyone_may_add() -> None:
    async def main() -> None:
        with pytest.raises(DeadlineExceeded):
            Semaphore("s", 0).acquire(timeout_s=0.001)

    asyncio.run(main())


@pytest.mark.parametrize("call", [lambda: Semaphore("s", -1), lambda: Semaphore("s", 1).release(0)])
def test_nonsense_is_misuse(call) -> None:
    with pytest.raises(Misuse):
        call()


def test_a_waiter_whose_loop_is_closed_is_skipped() -> None:
    semaphore = Semaphore("s", 1)
    semaphore.acquire()
    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(semaphore.acquire_async())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    abandoned._log_destroy_pending = False
    assert len(semaphore.statistics().waiters) == 1
    semaphore.release()
    assert semaphore.statistics().waiters == ()
    assert semaphore.try_acquire()
