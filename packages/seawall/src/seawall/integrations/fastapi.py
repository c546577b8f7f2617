"""A `ThreadPool` under a FastAPI or Starlette application: its synchronous handlers, dependencies and their teardown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from seawall.integrations.anyio import use_pool
from seawall.pools.thread_pool import ThreadPool

App = TypeVar("App")
Lifespan = Callable[[App], AbstractAsyncContextManager[Any]]


def lifespan(pool: ThreadPool, inner: Lifespan[App] | None = None) -> Lifespan[App]:
    """A lifespan that has the application's synchronous code run in `pool`, and shuts the pool down at its end.

    `inner` is the application's own lifespan, if it has one; it runs inside. See `integrations.anyio.use_pool`.

        app = FastAPI(lifespan=lifespan(ThreadPool("handlers", max_threads=40, queue_limit=100)))
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
