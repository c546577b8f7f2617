import asyncio
import threading

import pytest

from seawall import Closed, DeadlineExceeded, Misuse, ResourcePool, snapshot


class Connection:
    """A resource that knows whether it is closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        assert not self.is_closed, "closed twice"
        self.is_closed = True


def pool_of(max_size: int = 2, **options) -> ResourcePool[Connection]:
    return ResourcePool("db", Connection, max_size=max_size, close=Connection.close, **options)


def test_threads_and_tasks_borrow_from_the_same_resources() -> None:
    pool = pool_of(1)
    with pool.borrow() as first:
        assert pool.statistics().in_use == 1
        assert len(pool.statistics().holders) == 1

    async def in_task() -> Connection:
        async with pool.borrow() as connection:
            return connection

    assert asyncio.run(in_task()) is first
    assert pool.statistics().created_total == 1


def test_at_most_max_size_are_out_and_who_came_first_is_served_first() -> None:
    pool, served = pool_of(2), []

    async def main() -> None:
        go_on = asyncio.Event()

        async def hold() -> None:
            async with pool.borrow():
                await go_on.wait()

        async def one(number: int) -> None:
            async with pool.borrow():
                served.append(number)
                await asyncio.sleep(0)

        holders = [asyncio.create_task(hold()) for _ in range(2)]
        await asyncio.sleep(0)
        waiters = [asyncio.create_task(one(number)) for number in range(6)]
        await asyncio.sleep(0)
        assert pool.statistics().waiting == 6
        (shown,) = [s for s in snapshot().resource_pools if s.name == "db"]
        assert len(shown.holders) == shown.in_use == shown.max_size == 2
        assert len(shown.waiters) == 6
        assert not [s for s in snapshot().semaphores if s.name == "db"], "it would be there twice"
        with pytest.raises(DeadlineExceeded):
            async with pool.borrow(timeout_s=0.01):
                pass
        go_on.set()
        await asyncio.gather(*holders, *waiters)

    asyncio.run(main())
    assert served == list(range(6))
    assert pool.statistics().created_total == 2


def test_the_one_given_back_last_is_lent_first() -> None:
    pool = pool_of(2)
    with pool.borrow(), pool.borrow() as second:
        pass  # the inner one comes back first
    with pool.borrow() as again:
        assert again is not second


def test_what_is_broken_is_closed_and_replaced() -> None:
    pool = pool_of(1, is_broken=lambda error: isinstance(error, OSError))
    with pytest.raises(OSError, match="reset"), pool.borrow() as broken:
        raise OSError("reset")
    assert broken.is_closed
    with pytest.raises(ValueError, match="ours"), pool.borrow() as kept:
        raise ValueError("ours")
    assert kept is not broken
    assert not kept.is_closed
    with pool.borrow() as told:
        assert told is kept
        pool.discard(told)
    assert told.is_closed
    assert (pool.statistics().broken_total, pool.statistics().created_total) == (2, 2)


def test_what_was_in_use_when_its_task_was_cancelled_is_not_lent_again() -> None:
    pool, lent = pool_of(1), []

    async def main() -> None:
        async def use() -> None:
            async with pool.borrow() as connection:
                lent.append(connection)
                await asyncio.Event().wait()

        task = asyncio.create_task(use())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        async with pool.borrow() as connection:
            assert connection is not lent[0]

    asyncio.run(main())
    assert lent[0].is_closed


def test_a_creation_that_fails_or_is_cancelled_gives_its_place_back() -> None:
    async def main() -> None:
        blocked = asyncio.Event()

        async def create() -> Connection:
            if blocked.is_set():
                return Connection()
            await blocked.wait()
            raise OSError("refused")

        pool = ResourcePool("db", create, max_size=1)

        async def use() -> None:
            async with pool.borrow():
                pass

        cancelled, refused = asyncio.create_task(use()), asyncio.create_task(use())
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        blocked.set()
        with pytest.raises(OSError, match="refused"):
            await refused
        await use()
        assert pool.statistics().in_use == 0

    asyncio.run(main())


def test_a_coroutines_resource_stays_with_its_loop_and_never_more_than_max_size_exist() -> None:
    made: list[Connection] = []

    async def create() -> Connection:
        made.append(Connection())
        return made[-1]

    async def close(connection: Connection) -> None:
        connection.close()

    pool = ResourcePool("db", create, max_size=1, close=close)

    async def use() -> Connection:
        async with pool.borrow() as connection:
            return connection

    async def in_two_loops() -> None:
        first = await use()
        assert await use() is first
        await asyncio.to_thread(lambda: asyncio.run(use()))
        for _ in range(3):
            await asyncio.sleep(0)
        assert first.is_closed  # to make room for the other loop's
        assert pool.statistics().idle == 1

    asyncio.run(in_two_loops())
    with pytest.raises(Misuse, match="coroutine"), pool.borrow():
        pass
    pool.close()


def test_idle_ones_are_closed_after_a_while_without_anybody_asking() -> None:
    closed = threading.Event()
    pool = ResourcePool("db", Connection, max_size=1, close=lambda _: closed.set(), idle_s=0.02)
    with pool.borrow():
        pass
    assert closed.wait(30)
    assert pool.statistics().idle == 0


def test_a_closed_pool_lends_no_more_and_closes_what_comes_back() -> None:
    pool = pool_of(2)
    with pool.borrow() as idle:
        pass
    refused = threading.Event()

    def wait_for_one() -> None:
        try:
            with pool.borrow():
                pass
        except Closed:
            refused.set()

    with pool.borrow() as first, pool.borrow() as second:
        waiter = threading.Thread(target=wait_for_one)
        waiter.start()
        while not pool.statistics().waiting:
            threading.Event().wait(0.001)
        pool.close()
    waiter.join(30)
    assert refused.is_set()
    assert first.is_closed
    assert second.is_closed
    assert idle in (first, second)
    with pytest.raises(Closed), pool.borrow():
        pass


@pytest.mark.parametrize("options", [{"max_size": 0}, {"max_size": 1, "idle_s": 0}])
def test_nonsense_is_misuse(options) -> None:
    with pytest.raises(Misuse):
        ResourcePool("db", Connection, **options)
