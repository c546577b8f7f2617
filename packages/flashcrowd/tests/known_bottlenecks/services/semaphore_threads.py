"""A few at a time may use a licence; threads of a wide pool wait for it, and use a lock before."""

import time

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Mutex, Semaphore, ThreadPool

PLANTED = Planted(kind="semaphore", names=frozenset({"licences"}))


def build(sizes: Sizes) -> Application:
    licences, counter, bystanders = Semaphore("licences", sizes.places), Mutex("counter"), Bystanders()
    handlers = ThreadPool("handlers", min_threads=40, max_threads=40)

    def convert() -> None:
        with counter:
            time.sleep(0.002)
        with licences:
            time.sleep(sizes.hold_s)

    async def work() -> None:
        await bystanders.use()
        await handlers.run(convert)

    return on_seawall(work)
