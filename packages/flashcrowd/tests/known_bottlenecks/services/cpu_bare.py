"""A FastAPI handler that computes, and nothing that tells so."""

from fastapi import FastAPI

from known_bottlenecks.compute import compute
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application

PLANTED = Planted(kind="cpu", exposes="nothing")


def build(sizes: Sizes) -> Application:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    def page() -> int:
        return compute(1 / sizes.capacity_per_s)

    return app
