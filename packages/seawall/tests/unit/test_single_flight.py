import asyncio

import pytest

from seawall import Closed, DeadlineExceeded, Deadlock, SingleFlight, deadline, remaining_s


class Work:
    """Work that counts how often it began and ends when it may."""

    def __init__(self, outcome: object = "done") -> None:
        self.outcome = outcome
        self.go_on = asyncio.Event()
        self.begun = 0
        self.was_cancelled = False

    async def __call__(self) -> object:
        self.begun += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_all_who_ask_at_the_same_time_share_one_piece_of_work() -> None:
    async def main() -> None:
        flight, work = SingleFlight("f"), Work()
        callers = [asyncio.create_task(flight.run("key", work)) for _ in range(5)]
        await turns()
        assert (flight.statistics().in_flight, flight.statistics().waiting) == (1, 5)
        work.go_on.set()
        assert await asyncio.gather(*callers) == ["done"] * 5
        assert work.begun == 1
        assert flight.statistics().shared_total == 4
        assert await flight.run("key", work) == "done"
        assert work.begun == 2

    asyncio.run(main())


def test_an_exception_reaches_all_waiters() -> None:
    async def main() -> None:
        flight, work = SingleFlight("f"), Work(ValueError("no"))
        callers = [asyncio.create_task(flight.run("key", work)) for _ in range(3)]
        await turns()
        work.go_on.set()
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert [type(o) for o in outcomes] == [ValueError] * 3
        assert flight.statistics().failed_total == 1

    asyncio.run(main())


def test_the_work_outlives_the_caller_that_began_it_and_ends_with_its_last_waiter() -> None:
    async def main() -> None:
        flight, work = SingleFlight("f"), Work()
        first, second = (asyncio.create_task(flight.run("key", work)) for _ in range(2))
        await turns()
        first.cancel()
        await turns()
        assert not work.was_cancelled
        second.cancel()
        await turns()
        assert work.was_cancelled
        assert flight.statistics().in_flight == 0
        assert flight.statistics().cancelled_total == 1

    asyncio.run(main())


def test_a_waiter_leaves_at_its_deadline_but_the_work_has_none() -> None:
    async def main() -> None:
        flight, work = SingleFlight("f"), Work()
        seen: list[float | None] = []

        async def look_and_work() -> object:
            seen.append(remaining_s())
            return await work()

        async def impatient() -> object:
            with deadline(0.01):
                return await flight.run("key", look_and_work)

        hurried = asyncio.create_task(impatient())
        await turns()
        patient = asyncio.create_task(flight.run("key", look_and_work))
        with pytest.raises(DeadlineExceeded):
            await hurried
        work.go_on.set()
        assert await patient == "done"
        assert seen == [None]

    asyncio.run(main())


def test_work_cancelled_by_someone_else_is_closed_for_its_waiters() -> None:
    async def cancelled() -> object:
        raise asyncio.CancelledError

    async def main() -> None:
        with pytest.raises(Closed):
            await SingleFlight("f").run("key", cancelled)

    asyncio.run(main())


def test_work_that_asks_for_its_own_key_is_a_deadlock_at_once() -> None:
    async def main() -> None:
        flight = SingleFlight("f")

        async def itself() -> object:
            return await flight.run("key", itself)

        with pytest.raises(Deadlock, match="flight f: 'key'"):
            await flight.run("key", itself)

    asyncio.run(main())


def test_a_forgotten_key_is_begun_anew_while_the_old_work_goes_on_for_its_waiters() -> None:
    async def main() -> None:
        flight, old, new = SingleFlight("f"), Work("old"), Work("new")
        first = asyncio.create_task(flight.run("key", old))
        await turns()
        flight.forget("key")
        second = asyncio.create_task(flight.run("key", new))
        await turns()
        old.go_on.set()
        new.go_on.set()
        assert (await first, await second) == ("old", "new")
        assert flight.statistics().in_flight == 0

    asyncio.run(main())
