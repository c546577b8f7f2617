"""The handbook's page docs/patterns/check-then-act.md: the trap, and two fixes."""

import asyncio

from seawall import Mutex, SingleFlight


class Hall:
    """Sells seats. To take the money takes a while."""

    def __init__(self, seats: int) -> None:
        self.free = seats
        self.sold = 0

    async def pay(self) -> None:
        await asyncio.sleep(0)

    async def sell(self) -> bool:
        if self.free == 0:
            return False
        await self.pay()
        self.free -= 1
        self.sold += 1
        return True


def test_trap_everybody_sees_the_last_seat_free_and_everybody_buys_it() -> None:
    async def main() -> Hall:
        hall = Hall(seats=1)
        await asyncio.gather(*[hall.sell() for _ in range(10)])
        return hall

    hall = asyncio.run(main())
    assert hall.sold == 10
    assert hall.free == -9


def test_fix_the_check_and_the_act_are_in_one_mutex() -> None:
    async def main() -> Hall:
        hall, mutex = Hall(seats=1), Mutex("seats")

        async def sell() -> bool:
            async with mutex:
                return await hall.sell()

        sold = await asyncio.gather(*[sell() for _ in range(10)])
        assert sold.count(True) == 1
        return hall

    hall = asyncio.run(main())
    assert (hall.sold, hall.free) == (1, 0)


def test_fix_the_act_comes_first_and_is_undone_where_paying_fails() -> None:
    """Where the act can be taken back, nobody has to wait while somebody else pays."""

    async def main() -> Hall:
        hall, mutex = Hall(seats=1), Mutex("seats")

        async def sell(has_money: bool) -> bool:
            async with mutex:
                if hall.free == 0:
                    return False
                hall.free -= 1
            await hall.pay()
            if not has_money:
                async with mutex:
                    hall.free += 1
                return False
            hall.sold += 1
            return True

        assert not await sell(has_money=False)
        sold = await asyncio.gather(*[sell(has_money=True) for _ in range(10)])
        assert sold.count(True) == 1
        return hall

    hall = asyncio.run(main())
    assert (hall.sold, hall.free) == (1, 0)


def test_trap_and_fix_look_up_or_make() -> None:
    async def main() -> None:
        made: list[str] = []

        async def make(key: str) -> str:
            await asyncio.sleep(0)
            made.append(key)
            return key.upper()

        kept: dict[str, str] = {}

        async def look_up_or_make(key: str) -> str:
            if key not in kept:
                kept[key] = await make(key)
            return kept[key]

        await asyncio.gather(*[look_up_or_make("a") for _ in range(10)])
        assert len(made) == 10

        made.clear()
        flight = SingleFlight("pages")
        assert await asyncio.gather(*[flight.run("b", lambda: make("b")) for _ in range(10)]) == ["B"] * 10
        assert made == ["b"]

    asyncio.run(main())
