"""A pool that is in good use at the highest load, two of three connections, with room for the rest."""

import asyncio
import time

from known_bottlenecks.metrics import Metrics
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, ordinary

PLANTED = Planted(kind="", exposes="metrics")

HOLD_S = 0.100


def build(sizes: Sizes) -> Application:
    size = max(4, round(sizes.healthy_per_s * HOLD_S / 0.62))
    connections, metrics = asyncio.Semaphore(size), Metrics()
    pool = 'db_client_connection_pool_name="orders"'
    metrics.set("db_client_connection_max", f"{{{pool}}}", size)

    async def work() -> None:
        began_s = time.perf_counter()
        with metrics.held("db_client_connection_pending_requests", f"{{{pool}}}"):
            await connections.acquire()
        metrics.observe("db_client_connection_wait_time_seconds", f"{{{pool}}}", time.perf_counter() - began_s)
        with metrics.held("db_client_connection_count", f'{{{pool},db_client_connection_state="used"}}'):
            await asyncio.sleep(HOLD_S)
        connections.release()

    return ordinary(work, metrics.text)
