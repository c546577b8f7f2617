"""An edge with its real gates in front of an application that answers when it is told to: a crowd without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from seawall import remaining_s
from turnout.model.site import OrganisationId, Principal, Site, SiteId, UserId
from turnout.settings import Settings, for_cores
from turnout.web.edge import Edge
from turnout.web.gates import Gates, make_classify, make_gates
from turnout.web.room import make_room

SITE = Site(SiteId(1), "acme.example", "UTC", OrganisationId(7))
HOLDER = Principal(UserId(3), "ada@example.org", only_organisation=OrganisationId(9))
SETTINGS = for_cores(Settings(page_wait_s=0.1, page_burst_s=0, page_seats=1, answer_seats=1, live_streams=1), cores=2)
SCRIPT = Path(__file__).parents[1] / "src" / "turnout" / "web" / "static" / "script.js"
HTML = [(b"accept", b"text/html,*/*")]

Message = dict[str, Any]
classify = make_classify(SETTINGS, {"acme.example": SITE}.get, {"tk_1": HOLDER}.get)


class Crowd:
    """An edge whose application answers when it is told to."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.gates: Gates = make_gates(settings, lambda: 0.0)
        self.room = make_room("only for tests, and sixteen bytes")
        self.go_on = asyncio.Event()
        self.cancelled: list[str] = []
        self.remaining_s: dict[str, float | None] = {}
        self.edge = Edge(
            collect=self._app,
            app=self._app,
            gates=self.gates,
            classify=classify,
            room=self.room,
            operations=None,  # type: ignore[arg-type]  # not asked here
            script=SCRIPT,
            settings=settings,
        )

    async def _app(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        self.remaining_s[scope["path"]] = remaining_s()
        try:
            if not scope["path"].startswith(("/ops", "/static")):
                await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.append(scope["path"])
            raise
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})

    async def ask(
        self,
        path: str,
        method: str = "GET",
        headers: list[tuple[bytes, bytes]] | None = None,
        leaves: asyncio.Event | None = None,
        query: bytes = b"",
        body_ends: asyncio.Event | None = None,
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body; 0 where none came. The client goes when `leaves` is set."""
        sent = await self._sent(path, method, headers, leaves, query, body_ends)
        if not sent:
            return 0, {}, b""
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    async def raw(self, path: str, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers of an answer, each as it is."""
        sent = await self._sent(path, "GET", headers, None, b"", None)
        return list(sent[0]["headers"])

    async def _sent(
        self,
        path: str,
        method: str,
        headers: list[tuple[bytes, bytes]] | None,
        leaves: asyncio.Event | None,
        query: bytes,
        body_ends: asyncio.Event | None,
    ) -> list[Message]:
        sent: list[Message] = []
        body = [{"type": "http.request", "body": b"", "more_body": False}]
        gone = leaves or asyncio.Event()

        async def receive() -> Message:
            if body_ends is not None:
                await body_ends.wait()
            if body:
                return body.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": headers or [],
            "client": ("203.0.113.5", 4711),
        }
        await self.edge(scope, receive, send)  # type: ignore[arg-type]
        return sent

    def waiting(self, workload: str) -> int:
        """How many wait as this workload."""
        return sum(work.waiting for gate in self.gates for work in gate.statistics().workloads if work.name == workload)

    def in_flight(self) -> int:
        """How many are inside."""
        return sum(gate.statistics().in_flight for gate in self.gates)


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not claim():  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0)
