"""One service in its own process: `python -m lab.launch_day.serve FILE PORT`. What it answers is counted from outside.

The file is run as it is. Around it is a counter, since nobody else knows what was answered to those who had left; and on
SIGUSR1 the process writes the stacks of all threads to its standard error.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

FIGURES_PATH = "/lab/figures"

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Any, Send], Awaitable[None]]


class Counted:
    """An ASGI application around another: how many requests are in it, and what it answered to the rest, by path."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._in_flight = 0
        self._most_in_flight = 0
        self._answers: Counter[str] = Counter()

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """One connection or request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == FIGURES_PATH:
            await self._tell(send)
            return
        kind = scope["path"].split("/")[1]

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers[f"{kind} {message['status']}"] += 1
            await send(message)

        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            await self._app(scope, receive, counting)
        finally:
            self._in_flight -= 1

    async def _tell(self, send: Send) -> None:
        figures = {"in_flight": self._in_flight, "most_in_flight": self._most_in_flight, "answers": self._answers}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(figures).encode()})


def main(path: str, port: int) -> None:
    """Load the service and serve it until SIGTERM."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    spec = importlib.util.spec_from_file_location("service", path)
    assert spec is not None
    assert spec.loader is not None
    service = importlib.util.module_from_spec(spec)
    sys.modules["service"] = service  # before it is run: its annotations are resolved by this name
    spec.loader.exec_module(service)
    app = getattr(service, "gated", service.app)
    uvicorn.run(Counted(app), port=port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
