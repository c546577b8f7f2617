"""Pages behind a gate that lets in as many as there are seats, while those who do not fit wait or are told to come back."""

import asyncio

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Fixed, Gate, Workload

PLANTED = Planted(kind="gate", names=frozenset({"pages"}), can_widen=True)


def build(sizes: Sizes) -> Application:
    pages = Gate("pages", Fixed(sizes.places), [Workload("page", queue_limit=1_000, deadline_s=30.0)])
    bystanders = Bystanders()

    async def work() -> None:
        await bystanders.use()
        async with pages.admit("page"):
            await asyncio.sleep(sizes.hold_s)

    return on_seawall(work)
