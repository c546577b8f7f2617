"""Too few threads for calls that wait."""

import time

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import ThreadPool

PLANTED = Planted(kind="thread pool", names=frozenset({"reads"}), can_widen=True)


def build(sizes: Sizes) -> Application:
    reads, bystanders = ThreadPool("reads", min_threads=sizes.places, max_threads=sizes.places), Bystanders()

    async def work() -> None:
        await bystanders.use()
        await reads.run(time.sleep, sizes.hold_s)

    return on_seawall(work)
