"""Pages and questions that nobody waits for any more: the whole server's objects, with queries that never end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from watched_store import ENDLESS, until

from turnout.compose import Server
from turnout.settings import Settings

EMAIL, PASSWORD, DOMAIN = "ada@example.org", "correct horse battery", "acme.example"


class Endless:
    """Makes every statement of a server's reader run until it is interrupted, and counts them."""

    def __init__(self, server: Server) -> None:
        self.begun = self.over = 0
        self.is_on = False
        self._rows = server.reader.rows
        server.reader.rows = self.rows  # type: ignore[method-assign]

    def rows(self, sql: str, parameters: Sequence[object], *, ticket: object = None) -> list[tuple[object, ...]]:
        if not self.is_on:
            return self._rows(sql, parameters, ticket=ticket)
        self.begun += 1
        try:
            return self._rows(ENDLESS, [], ticket=ticket)
        finally:
            self.over += 1


async def ask(server: Server, method: str, path: str, leaves: asyncio.Event, **headers: str) -> list[dict[str, Any]]:
    """What is sent to a client that goes when `leaves` is set."""
    body = json.dumps({"site_id": DOMAIN, "metrics": ["visitors"], "date_range": "7d"}).encode()
    messages = [{"type": "http.request", "body": body if method == "POST" else b"", "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in {"host": "t", **headers}.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": lines,
        "client": ("203.0.113.5", 4711),
        "server": ("t", 80),
    }
    await server.application(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", f"/sites/{DOMAIN}", 3),
        ("GET", f"/sites/{DOMAIN}/cards/pages", 3),
        ("GET", f"/sites/{DOMAIN}/details/pages", 1),
        ("POST", "/api/v2/query", 1),
    ],
)
def test_who_leaves_stops_the_queries_in_the_engine(tmp_path: Path, method: str, path: str, least: int) -> None:
    tmp_path.joinpath("data").mkdir()
    server = Server(Settings(data=tmp_path / "data"))

    async def run() -> None:
        commands = server.core.commands
        await commands.run("user create", {"email": EMAIL, "password": PASSWORD}, lambda _: None)
        await commands.run("site create", {"owner": EMAIL, "domain": DOMAIN, "timezone": "UTC"}, lambda _: None)
        key = await commands.run("key create", {"owner": EMAIL, "scope": "stats"}, lambda _: None)
        owner = await server.core.accounts.principal_named(EMAIL)
        await server.core.sites.set_public(owner, DOMAIN, True)
        endless = Endless(server)
        endless.is_on = True
        leaves = asyncio.Event()
        asked = asyncio.create_task(ask(server, method, path, leaves, authorization=f"Bearer {key}"))
        await until(lambda: endless.begun >= least)
        leaves.set()
        assert await asked == []
        await until(lambda: endless.over == endless.begun and server.query_gate.statistics().in_flight == 0)
        assert all(gate.statistics().in_flight == 0 for gate in server.gates)
        assert sum(work.cancelled_total for gate in server.gates for work in gate.statistics().workloads) == 1
        endless.is_on = False

    try:
        asyncio.run(run())
    finally:
        server.close(10.0)
