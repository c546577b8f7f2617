"""A call that waits, made on the event loop."""

import time

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall

PLANTED = Planted(kind="event loop")


def build(sizes: Sizes) -> Application:
    bystanders = Bystanders()

    async def work() -> None:
        await bystanders.use()
        time.sleep(1 / sizes.capacity_per_s)  # noqa: ASYNC251 (this is the fault)

    return on_seawall(work)
