"""A small ASGI application: work at `/`, and what the service tells of itself beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from seawall import LoopLag, request_timing
from seawall.console import Console

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Timings = dict[str, float]
"""Seconds by name, for `Server-Timing`."""


def on_seawall(work: Callable[[], Awaitable[None]]) -> Application:
    """The work with what Seawall tells: the console at `/seawall/`, and each request's waits in its `Server-Timing`."""
    console, lag = Console(allow=lambda scope: True), LoopLag()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send, lag.start)
        elif scope["path"] == "/":
            with request_timing() as timing:
                await work()
            await answer(send, 200, b"done", timing.header())
        elif scope["path"].startswith("/seawall"):
            await console({**scope, "root_path": "/seawall"}, receive, send)
        else:
            await answer(send, 404, b"no such page")

    return application


def ordinary(work: Callable[[], Awaitable[Timings | None]], metrics: Callable[[], str] | None = None) -> Application:
    """The work with what an ordinary service tells: `/metrics` where it has some, timings of its own where it takes them."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["path"] == "/":
            timings = await work() or {}
            header = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in timings.items())
            await answer(send, 200, b"done", header)
        elif scope["path"] == "/metrics" and metrics is not None:
            await answer(send, 200, metrics().encode(), content_type=b"text/plain; version=0.0.4; charset=utf-8")
        else:
            await answer(send, 404, b"no such page")

    return application


async def answer(
    send: Send, status: int, body: bytes, timing: str = "", content_type: bytes = b"text/plain; charset=utf-8"
) -> None:
    """Send one answer."""
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    if timing:
        headers.append((b"server-timing", timing.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send, start: Callable[[], None] | None = None) -> None:
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.startup" and start is not None:
            start()
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
