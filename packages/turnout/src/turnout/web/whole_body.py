"""Forms and questions are taken in whole before they stand at a gate: who sends slowly holds a seat from nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MAX_BODY_BYTES = 256 * 1024
"""Of a form or a question; the framework refuses more."""
BODY_S = 30.0
"""How long the body of a form may take."""


async def whole_body(receive: Receive, most_bytes: int) -> Receive | None:
    """A `receive` that has the body already, or as much of it as is too much: more than `most_bytes`.

    None where the client has left. Raises TimeoutError after `BODY_S` seconds.
    """
    messages: deque[Message] = deque()
    size_bytes = 0
    async with asyncio.timeout(BODY_S):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            messages.append(message)
            size_bytes += len(message.get("body", b""))
            if not message.get("more_body", False) or size_bytes > most_bytes:
                break

    async def replay() -> Message:
        return messages.popleft() if messages else await receive()

    return replay
