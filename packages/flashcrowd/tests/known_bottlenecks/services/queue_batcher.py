"""A journal that writes small batches slowly."""

import time

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Batcher

PLANTED = Planted(kind="queue", names=frozenset({"journal"}))


def build(sizes: Sizes) -> Application:
    bystanders = Bystanders()
    journal: Batcher[int] = Batcher(
        "journal", lambda items: time.sleep(sizes.hold_s), max_items=sizes.places, capacity=10_000
    )

    async def work() -> None:
        await bystanders.use()
        await journal.put(1)

    return on_seawall(work)
