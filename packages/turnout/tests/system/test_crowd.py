"""Many at once: one new visitor is one visit, and many visitors are counted to the last view."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from serving import Turnout

HEAD = "POST /api/event HTTP/1.1\r\nHost: turnout\r\nUser-Agent: {agent}\r\nX-Forwarded-For: {address}\r\n"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
DOMAIN = "acme.example"


def request(page: str, address: str) -> bytes:
    body = json.dumps({"n": "pageview", "u": f"https://{DOMAIN}{page}", "d": DOMAIN})
    return f"{HEAD.format(agent=FIREFOX, address=address)}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def open_connections(port: int, count: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    return [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]


async def exchange(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], *requests: bytes) -> list[bytes]:
    """Sends the requests one after the other and returns the status of each."""
    reader, writer = connection
    statuses: list[bytes] = []
    for sent in requests:
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        statuses.append(head[9:12])
    writer.close()
    return statuses


def test_one_new_visitor_from_a_thousand_connections_at_once_is_one_visit(server: Turnout) -> None:
    async def crowd() -> list[list[bytes]]:
        connections = await open_connections(server.port, 1_000)
        sent = request("/", "198.51.100.9")
        return await asyncio.gather(*(exchange(connection, sent) for connection in connections))

    answers = asyncio.run(crowd())
    assert answers == [[b"202"]] * 1_000
    server.wait_for("pageviews", 1_000)
    assert server.query(metrics=["visitors", "visits", "bounce_rate"])[0]["metrics"] == [1, 1, 0]


def test_two_hundred_visitors_in_parallel_with_ten_views_each_are_counted_exactly(server: Turnout) -> None:
    async def crowd() -> list[list[bytes]]:
        connections = await open_connections(server.port, 200)
        walks = [[request(f"/{page}", f"10.1.2.{person}") for page in range(10)] for person in range(200)]
        return await asyncio.gather(*(exchange(c, *walk) for c, walk in zip(connections, walks, strict=True)))

    answers = asyncio.run(crowd())
    assert answers == [[b"202"] * 10] * 200
    server.wait_for("pageviews", 2_000)
    metrics = ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "events"]
    assert server.query(metrics=metrics)[0]["metrics"] == [200, 200, 2_000, 10.0, 0, 2_000]
    pages = server.query(metrics=["visitors", "pageviews"], dimensions=["event:page"])
    assert [(row["dimensions"], row["metrics"]) for row in pages] == [([f"/{page}"], [200, 200]) for page in range(10)]


def test_an_acknowledged_event_is_answered_by_the_query_api_within_two_seconds(server: Turnout) -> None:
    assert server.total("events") == 0
    # The bound is the promise itself (two seconds), not a speed.
    assert server.send({"n": "pageview", "u": f"https://{DOMAIN}/", "d": DOMAIN}).status_code == 202
    server.wait_for("events", 1, within_s=2.0)


def test_events_and_pages_are_served_on_one_connection_after_another(server: Turnout) -> None:
    with httpx.Client(base_url=server.url) as client:
        for _ in range(3):
            assert client.get("/health/live").status_code == 200
            assert client.get("/api/health").status_code == 200
