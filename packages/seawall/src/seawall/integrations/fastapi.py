"""A `ThreadPool` under a FastAPI or Starlette application: its synchronous handlers, dependencies and their teardown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import ceil
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from seawall.errors import Overloaded
from seawall.integrations.anyio import use_pool
from seawall.pools.thread_pool import ThreadPool

App = TypeVar("App")
Lifespan = Callable[[App], AbstractAsyncContextManager[Any]]


def lifespan(pool: ThreadPool, inner: Lifespan[App] | None = None) -> Lifespan[App]:
    """A lifespan that has the application's synchronous code run in `pool`, and shuts the pool down at its end.

    `inner` is the application's own lifespan, if it has one; it runs inside. See `integrations.anyio.use_pool`.

        app = FastAPI(lifespan=lifespan(ThreadPool("handlers", max_threads=40, queue_limit=100)))
        app.add_exception_handler(Overloaded, answer_overloaded)
    """

    @asynccontextmanager
    async def around(app: App) -> AsyncIterator[Any]:
        try:
            with use_pool(pool):
                if inner is None:
                    yield None
                else:
                    async with inner(app) as state:
                        yield state
        finally:
            pool.shutdown(wait=False)

    return around


async def answer_overloaded(_: Request, error: Exception) -> Response:
    """An exception handler for `Overloaded`: 503 with Retry-After, in place of a queue without an end.

    A coroutine function, since a plain one would be run on the very threads that are busy.
    """
    retry_after_s = error.retry_after_s if isinstance(error, Overloaded) else 1.0
    return PlainTextResponse(
        "The service is busy; try again soon.", 503, headers={"Retry-After": str(max(1, ceil(retry_after_s)))}
    )
