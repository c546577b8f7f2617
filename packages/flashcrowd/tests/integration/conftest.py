"""Real small servers, in the loop of the test: uvicorn under bare ASGI, and sockets that do what no server should."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
import uvloop

from flashcrowd.arrivals.parse import Arrivals, parse
from flashcrowd.engine.plan import Limits, Plan
from flashcrowd.engine.run import Finished, Run
from flashcrowd.engine.target import parse as target_of
from flashcrowd.users.user import User

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PATIENT = Limits(lateness_s=3600.0)
"""A busy machine sends late; tests that are not about it do not mind."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine on the loop that Flashcrowd uses."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    uvloop.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


class Crowd:
    """Runs users against servers."""

    def __init__(self) -> None:
        self.running: Run | None = None

    @asynccontextmanager
    async def served(self, app: App, **options: Any) -> AsyncIterator[str]:
        """The address of `app` on uvicorn."""
        quiet = {"log_level": "critical", "lifespan": "off", "access_log": False, "timeout_graceful_shutdown": 1}
        server = uvicorn.Server(uvicorn.Config(app, port=0, **quiet, **options))
        serving = asyncio.create_task(server.serve())
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this only
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await serving

    @asynccontextmanager
    async def talking(self, talk: Talk) -> AsyncIterator[str]:
        """The address of a socket server that does `talk` with each connection."""
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def run(
        self,
        url: str,
        arrivals: str | Arrivals,
        *users: type[User],
        for_s: float = 1.0,
        limits: Limits = PATIENT,
        verify: bool = True,
    ) -> Finished:
        """One run."""
        made = parse(arrivals, for_s) if isinstance(arrivals, str) else arrivals
        self.running = Run(
            Plan(target_of(url), url, users, "test", made, limits=limits, data={"who": "me"}, verify=verify)
        )
        return await self.running.execute()


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


async def answer(
    send: Callable[[Message], Awaitable[None]], status: int = 200, body: bytes = b"ok", **headers: str
) -> None:
    """One whole answer."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def reply() -> Callable[..., Awaitable[None]]:
    return answer
