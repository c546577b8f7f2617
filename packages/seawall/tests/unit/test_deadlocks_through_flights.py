"""Who waits for a flight waits for the task that does its work, and for whatever that waits for."""

import asyncio

import pytest

from seawall import Deadlock, Mutex, SingleFlight

PATIENCE_S = 20


def run(main) -> None:
    asyncio.run(asyncio.wait_for(main, PATIENCE_S))


def test_work_that_needs_what_its_asker_holds_is_refused(watched) -> None:
    async def main() -> None:
        rates, settings = SingleFlight("rates"), Mutex("settings")

        async def read() -> str:
            async with settings:
                return "read"

        async with settings:
            with pytest.raises(Deadlock) as caught:
                await rates.run("EUR", read)
        assert {wait.resource for wait in caught.value.cycle} == {"settings", "flight rates: 'EUR'"}
        assert all(wait.waiter_stack and wait.holder_stacks[0] for wait in caught.value.cycle)
        assert await rates.run("EUR", read) == "read"

    run(main())


@pytest.mark.parametrize("keys", [2, 3, 5])
def test_flights_whose_work_asks_for_each_other_in_a_ring_end_in_one_refusal(watched, keys: int) -> None:
    async def main() -> None:
        flight = SingleFlight("f")
        refused: list[Deadlock] = []
        all_fly = asyncio.Barrier(keys)

        async def ask_the_next(key: int) -> str:
            await all_fly.wait()
            try:
                return await flight.run((key + 1) % keys, lambda: ask_the_next((key + 1) % keys))
            except Deadlock as error:
                refused.append(error)
                return "refused"

        answers = await asyncio.gather(*(flight.run(key, lambda key=key: ask_the_next(key)) for key in range(keys)))
        assert answers == ["refused"] * keys
        assert len(refused) == 1
        assert len(refused[0].cycle) == keys
        assert flight.statistics().in_flight == 0

    run(main())


def test_many_who_wait_for_slow_work_are_no_deadlock(watched) -> None:
    async def main() -> None:
        flight, settings = SingleFlight("f"), Mutex("settings")
        go_on = asyncio.Event()

        async def slow() -> str:
            async with settings:
                await go_on.wait()
            return "slow"

        askers = [asyncio.create_task(flight.run("key", slow)) for _ in range(20)]
        await asyncio.sleep(0)

        async def enter() -> str:
            async with settings:
                return "entered"

        entering = asyncio.create_task(enter())
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(*askers) == ["slow"] * 20
        assert await entering == "entered"

    run(main())


def test_who_gives_up_a_flight_of_a_deadlock_leaves_the_others_to_go_on(watched) -> None:
    async def main() -> None:
        flight, held = SingleFlight("f"), Mutex("held")

        async def enter() -> str:
            async with held:
                return "entered"

        async with held:
            asker = asyncio.create_task(flight.run("key", enter))  # waits for work that waits for this task
            for _ in range(5):
                await asyncio.sleep(0)
            asker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asker
            assert flight.statistics().in_flight == 0
        assert await flight.run("key", enter) == "entered"

    run(main())
