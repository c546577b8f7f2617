"""A FastAPI handler that is `async` and calls what is not; nothing tells so."""

import time

from fastapi import FastAPI

from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application

PLANTED = Planted(kind="event loop", exposes="nothing")


def build(sizes: Sizes) -> Application:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def page() -> str:
        time.sleep(1 / sizes.capacity_per_s)  # noqa: ASYNC251 (this is the fault)
        return "done"

    return app
