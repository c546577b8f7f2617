"""docs/patterns/the-noisy-neighbour.md: one customer's script, and everybody else waits behind it."""

import asyncio
from collections import Counter

from seawall import Fixed, Gate, Overloaded, Workload

SCRIPT = 50


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def served(admit, tenants: list[str]) -> list[str]:
    """Everybody asks in this order while the only seat is taken; returns in which order they are served."""
    order: list[str] = []

    async def ask(tenant: str) -> None:
        try:
            async with admit(tenant):
                order.append(tenant)
                await asyncio.sleep(0)
        except Overloaded as error:
            order.append(f"{tenant} {error.reason}")

    async with admit("somebody"):
        tasks = [asyncio.ensure_future(ask(tenant)) for tenant in tenants]
        await settle()
    await asyncio.gather(*tasks)
    return order


CROWD = ["script"] * SCRIPT + ["anna", "bert"]


def test_trap_in_a_plain_line_everybody_stands_behind_the_script() -> None:
    async def main() -> None:
        line = asyncio.Semaphore(1)
        order = await served(lambda tenant: line, CROWD)
        assert order.index("anna") == SCRIPT

    asyncio.run(main())


def test_trap_in_a_plain_bounded_line_the_script_shuts_the_others_out() -> None:
    async def main() -> None:
        # One tenant for all is what a gate that is not told of tenants sees.
        gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=10, deadline_s=60.0)])
        order = await served(lambda tenant: gate.admit("page"), CROWD)
        assert "anna full" in order

    asyncio.run(main())


def test_fix_each_tenant_has_its_own_turn_however_much_another_asks_for() -> None:
    async def main() -> None:
        gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=100, deadline_s=60.0)])
        order = await served(lambda tenant: gate.admit("page", tenant=tenant), CROWD)
        assert order.index("anna") <= 2
        assert order.index("bert") <= 2
        assert Counter(order) == Counter(CROWD)  # the script loses nothing but its lead

    asyncio.run(main())


def test_fix_in_a_full_queue_the_script_makes_room_and_is_told_that_it_is_its_own_doing() -> None:
    async def main() -> None:
        gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=10, deadline_s=60.0)])
        order = await served(lambda tenant: gate.admit("page", tenant=tenant), [*CROWD, "script"])
        assert {"anna", "bert"} <= set(order)
        assert "script tenant" in order

    asyncio.run(main())


def test_fix_what_costs_more_counts_for_more() -> None:
    async def main() -> None:
        gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=100, deadline_s=60.0)])
        cost = {"heavy": 4.0}
        order = await served(
            lambda tenant: gate.admit("page", tenant=tenant, cost=cost.get(tenant, 1.0)),
            ["heavy"] * 20 + ["light"] * 20,
        )
        first = Counter(order[:20])
        assert first["light"] in (15, 16, 17)

    asyncio.run(main())
