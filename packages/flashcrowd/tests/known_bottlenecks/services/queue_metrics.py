"""Jobs go through a queue with few workers; its depth is a gauge."""

import asyncio

from known_bottlenecks.metrics import Metrics
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, ordinary

PLANTED = Planted(kind="queue", names=frozenset({"render_queue"}), exposes="metrics")


def build(sizes: Sizes) -> Application:
    jobs: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue(10_000)
    metrics, workers = Metrics(), []
    metrics.set("render_queue_workers", "", sizes.places)

    async def run() -> None:
        while True:
            job = await jobs.get()
            with metrics.held("render_queue_workers_busy", ""):
                await asyncio.sleep(sizes.hold_s)
            job.set_result(None)

    async def work() -> None:
        if not workers:
            workers.extend(asyncio.create_task(run()) for _ in range(sizes.places))
        await asyncio.sleep(0.004)
        job: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        jobs.put_nowait(job)
        await job

    def text() -> str:
        metrics.set("render_queue_depth", "", jobs.qsize())
        return metrics.text()

    return ordinary(work, text)
