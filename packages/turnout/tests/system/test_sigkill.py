"""SIGKILL at random moments while events come: what was acknowledged is there, once, in the visits it belongs to."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from serving import Turnout

CONNECTIONS = 24
DOMAIN = "acme.example"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


class Senders:
    """A crowd that goes on until the server dies, and remembers which events it was told are safe."""

    def __init__(self, port: int, batch: str) -> None:
        self._port = port
        self._batch = batch
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()

    async def run(self) -> None:
        await asyncio.gather(*(self._one(number) for number in range(CONNECTIONS)))

    async def _one(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            view = 0
            while True:
                page = f"/{self._batch}/{number}/{view}"
                self.sent.add(page)
                writer.write(self._request(page, f"10.9.{number}.{view % 5}"))
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
                assert head.startswith(b"HTTP/1.1 202"), head
                self.acknowledged.add(page)
                view += 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the server is dead
        finally:
            writer.close()

    def _request(self, page: str, address: str) -> bytes:
        body = json.dumps({"n": "pageview", "u": f"https://{DOMAIN}{page}", "d": DOMAIN})
        return (
            f"POST /api/event HTTP/1.1\r\nHost: turnout\r\nUser-Agent: {AGENT}\r\nX-Forwarded-For: {address}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def kill_while_events_come(server: Turnout, batch: str, after_s: float) -> Senders:
    async def round_() -> Senders:
        senders = Senders(server.port, batch)
        crowd = asyncio.create_task(senders.run())
        await asyncio.sleep(after_s)  # the moment of death is the test's one random choice
        server.stop(signal.SIGKILL)
        await crowd
        return senders

    return asyncio.run(round_())


def check_store(data: Path, sent: set[str], acknowledged: set[str]) -> None:
    """Every acknowledged event exactly once, no event twice, and visits as a recount from the events finds them."""
    with duckdb.connect(str(data / "events.duckdb"), read_only=True) as store:
        rows = store.execute(
            "SELECT page, visitor, occurred_at, visit_id, visit_delta, bounce_delta, duration_delta_ms, position "
            "FROM events ORDER BY position"
        ).fetchall()
    counts = Counter(row[0] for row in rows)
    assert max(counts.values(), default=0) <= 1, [page for page, count in counts.items() if count > 1][:5]
    assert acknowledged <= counts.keys(), f"{len(acknowledged - counts.keys())} acknowledged events are missing"
    assert counts.keys() <= sent
    visits: dict[int, list[tuple[object, ...]]] = {}
    latest: dict[int, tuple[int, object]] = {}
    for row in rows:
        _, visitor, at, visit_id, *_, position = row
        known = latest.get(visitor)
        expected = known[0] if known and (at - known[1]).total_seconds() <= 1_800 else position
        assert visit_id == expected
        latest[visitor] = (visit_id, at)
        visits.setdefault(visit_id, []).append(row)
    for events in visits.values():
        assert sum(row[4] for row in events) == 1
        assert sum(row[5] for row in events) == (1 if len(events) == 1 else 0)
        span_ms = (events[-1][2] - events[0][2]).total_seconds() * 1000
        assert sum(row[6] for row in events) == pytest.approx(span_ms, abs=1)


def rounds(server: Turnout, count: int, seed: int) -> None:
    chance = random.Random(seed)
    sent: set[str] = set()
    acknowledged: set[str] = set()
    for number in range(count):
        if server.process is None:
            server.start()
        senders = kill_while_events_come(server, f"round-{number}", chance.uniform(0.05, 1.5))
        sent |= senders.sent
        acknowledged |= senders.acknowledged
    assert acknowledged, "no event was acknowledged before a kill: the rounds showed nothing"
    server.start()
    assert server.stop(signal.SIGTERM) == 0
    check_store(server.data, sent, acknowledged)


def test_five_kills_lose_and_double_nothing(server: Turnout) -> None:
    rounds(server, 5, seed=1)


@pytest.mark.soak
def test_fifty_kills_lose_and_double_nothing(server: Turnout) -> None:
    rounds(server, 50, seed=2)
