"""FastAPI, and nothing that is short; nor anything that tells so."""

import asyncio

from fastapi import FastAPI

from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application

PLANTED = Planted(kind="", exposes="nothing")


def build(sizes: Sizes) -> Application:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def page() -> str:
        await asyncio.sleep(sizes.hold_s)
        return "done"

    return app
