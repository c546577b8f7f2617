"""The one reader of a request's messages: it sees a client go while nobody else reads, and loses no message."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

KEPT_BYTES = 65_536
"""Of a body that arrives while its request waits, so much is read ahead; then the server's own flow control holds the client
back, and its going is seen only when the request is let in."""


class Receiver:
    """Stands between a server's `receive` and the application. For the loop's own thread."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()
        self._kept_bytes = 0
        self._error: BaseException | None = None
        self._pending: asyncio.Task[Message] | None = None
        self._last: Message | None = None
        self._when_gone: Callable[[], object] | None = None

    def watch(self, when_gone: Callable[[], object]) -> None:
        """Read ahead from now on, and call `when_gone` once, when the client has disconnected."""
        if self._last is not None:
            when_gone()
            return
        self._when_gone = when_gone
        self._read_on()

    def unwatch(self) -> None:
        """Read ahead no more; what is being read already is kept for the application."""
        self._when_gone = None

    async def receive(self) -> Message:
        """The next message, for the application. Cancelling it loses none."""
        while not self._kept:
            if self._last is not None:
                return self._last
            if self._error is not None:
                raise self._error
            if self._pending is None:
                if self._when_gone is None:
                    return await self._receive()
                self._read_on()
            assert self._pending is not None
            await asyncio.wait([self._pending])
        message = self._kept.popleft()
        self._kept_bytes -= _size_of(message)
        if self._when_gone is not None:
            self._read_on()
        return message

    def end(self) -> None:
        """The request is over."""
        self._when_gone = None
        if self._pending is not None:
            self._pending.cancel()

    def _read_on(self) -> None:
        if self._pending is None and self._last is None and self._error is None and self._kept_bytes < KEPT_BYTES:
            self._pending = asyncio.ensure_future(self._read())
            self._pending.add_done_callback(self._keep)

    async def _read(self) -> Message:
        return await self._receive()  # which is a coroutine of uvicorn's and something else of Granian's

    def _keep(self, task: asyncio.Task[Message]) -> None:
        self._pending = None
        if task.cancelled():
            return
        self._error = task.exception()
        if self._error is not None:
            return
        message = task.result()
        if message["type"].endswith(".disconnect"):
            self._last = message
            when_gone, self._when_gone = self._when_gone, None
            if when_gone is not None:
                when_gone()
            return
        self._kept.append(message)
        self._kept_bytes += _size_of(message)
        if self._when_gone is not None:
            self._read_on()


def _size_of(message: Message) -> int:
    return len(message.get("body") or message.get("bytes") or message.get("text") or b"")
