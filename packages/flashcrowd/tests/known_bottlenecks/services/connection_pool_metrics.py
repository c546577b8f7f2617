"""A small connection pool with OpenTelemetry's metrics."""

import asyncio
import time

from known_bottlenecks.metrics import Metrics
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, ordinary

PLANTED = Planted(
    kind="connection pool", names=frozenset({"db_client_connection orders"}), exposes="metrics", can_widen=True
)


def build(sizes: Sizes) -> Application:
    connections, metrics = asyncio.Semaphore(sizes.places), Metrics()
    pool = 'db_client_connection_pool_name="orders"'
    metrics.set("db_client_connection_max", f"{{{pool}}}", sizes.places)

    async def work() -> None:
        await asyncio.sleep(0.004)
        began_s = time.perf_counter()
        with metrics.held("db_client_connection_pending_requests", f"{{{pool}}}"):
            await connections.acquire()
        metrics.observe("db_client_connection_wait_time_seconds", f"{{{pool}}}", time.perf_counter() - began_s)
        with metrics.held("db_client_connection_count", f'{{{pool},db_client_connection_state="used"}}'):
            await asyncio.sleep(sizes.hold_s)
        connections.release()

    return ordinary(work, metrics.text)
