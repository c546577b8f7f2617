"""Threads of a wide pool write one file in turn, so that the pool fills with those that wait."""

import time

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Mutex, ThreadPool

PLANTED = Planted(kind="lock", names=frozenset({"report-file"}))


def build(sizes: Sizes) -> Application:
    report_file, bystanders = Mutex("report-file"), Bystanders()
    handlers = ThreadPool("handlers", min_threads=40, max_threads=40)

    def write() -> None:
        time.sleep(0.005)
        with report_file:
            time.sleep(1 / sizes.capacity_per_s)

    async def work() -> None:
        await bystanders.use()
        await handlers.run(write)

    return on_seawall(work)
