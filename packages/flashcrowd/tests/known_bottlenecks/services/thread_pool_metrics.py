"""FastAPI with too few threads for its handlers, as anyio's limiter gives them, and gauges of that limiter."""

import time

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application

PLANTED = Planted(kind="thread pool", names=frozenset({"handler_threads"}), exposes="metrics", can_widen=True)


def build(sizes: Sizes) -> Application:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    def page() -> str:
        time.sleep(sizes.hold_s)
        return "done"

    @app.middleware("http")
    async def narrow(request, call_next):
        current_default_thread_limiter().total_tokens = sizes.places
        return await call_next(request)

    @app.get("/metrics")
    async def metrics() -> PlainTextResponse:
        figures = current_default_thread_limiter().statistics()
        return PlainTextResponse(
            f"# TYPE handler_threads_max gauge\nhandler_threads_max {figures.total_tokens:g}\n"
            f"# TYPE handler_threads_busy gauge\nhandler_threads_busy {figures.borrowed_tokens}\n"
            f"# TYPE handler_threads_queued gauge\nhandler_threads_queued {figures.tasks_waiting}\n"
        )

    return app
