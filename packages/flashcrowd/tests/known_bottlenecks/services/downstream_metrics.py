"""Another service answers only so many at once; this one has the usual metrics of an HTTP client, and of its database."""

import asyncio
import time

from known_bottlenecks.downstream import Downstream
from known_bottlenecks.metrics import Metrics
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, ordinary

PLANTED = Planted(
    kind="downstream", names=frozenset({"http_client_request_duration_seconds rates.internal"}), exposes="metrics"
)


def build(sizes: Sizes) -> Application:
    downstream, metrics = Downstream(sizes.places, sizes.hold_s), Metrics()
    labels = '{server_address="rates.internal",http_request_method="GET"}'

    async def work() -> None:
        began_s = time.perf_counter()
        await asyncio.sleep(0.006)
        queried_s = time.perf_counter()
        metrics.observe("db_client_operation_duration_seconds", '{db_system_name="postgresql"}', queried_s - began_s)
        with metrics.held("http_client_active_requests", '{server_address="rates.internal"}'):
            await downstream.call()
        metrics.observe("http_client_request_duration_seconds", labels, time.perf_counter() - queried_s)
        metrics.observe("http_server_request_duration_seconds", '{http_route="/"}', time.perf_counter() - began_s)

    return ordinary(work, metrics.text)
