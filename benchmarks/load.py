"""A closed-loop HTTP generator for these benchmarks: each connection sends, waits for its answer, sends again.

It knows just enough HTTP/1.1 to be cheap (answers with a Content-Length, connections kept alive), so that one core of
generator can fill one core of server. Run by itself it prints its result as JSON:
`python -m benchmarks.load --port 8000 --connections 64 --seconds 10 --site demo.example`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from random import Random
from typing import cast

import uvloop

from benchmarks.report import percentile
from turnout.jobs.demo_world import CLIENTS, ENTRY_PAGES, NEXT_PAGES, SOURCES

DIFFERENT_REQUESTS = 20_000


class Connection(asyncio.Protocol):
    """One connection of the crowd."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance
        self._send()

    def data_received(self, data: bytes) -> None:
        """Counts an answer when it is whole, and sends the next request."""
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) < length:
            return
        self._buffer = b""
        self._run.answered(head[9:12], time.perf_counter() - self._sent_at)
        if self._run.is_over():
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the run, whether this was wanted or not."""
        self._run.left()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._run.next_request())


class Run:
    """One run: what to send, until when, and what came back."""

    def __init__(self, requests: list[bytes], warm_up_s: float, seconds: float) -> None:
        self._requests = requests
        self._next = 0
        self._start = time.perf_counter() + warm_up_s
        self._end = self._start + seconds
        self.latencies_s: list[float] = []
        self.statuses: dict[str, int] = {}
        self.open = 0
        self.finished = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes:
        """Each time another one, round and round."""
        self._next = (self._next + 1) % len(self._requests)
        return self._requests[self._next]

    def answered(self, status: bytes, latency_s: float) -> None:
        """Counts an answer after the warm-up."""
        if time.perf_counter() >= self._start:
            key = status.decode()
            self.statuses[key] = self.statuses.get(key, 0) + 1
            self.latencies_s.append(latency_s)

    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.perf_counter() >= self._end

    def left(self) -> None:
        """One connection less."""
        self.open -= 1
        if self.open == 0 and not self.finished.done():
            self.finished.set_result(None)


def events(site: str, port: int, seed: int = 1) -> list[bytes]:
    """Requests as trackers send them: many visitors, the demo's pages and sources."""
    random = Random(seed)
    pages = [page for _, page in (*ENTRY_PAGES, *NEXT_PAGES)]
    made: list[bytes] = []
    for _ in range(DIFFERENT_REQUESTS):
        address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
        body = json.dumps(
            {
                "n": "pageview",
                "u": f"https://{site}{random.choice(pages)}",
                "d": site,
                "r": random.choice(SOURCES).referrer or None,
            }
        ).encode()
        head = (
            f"POST /api/event HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {random.choice(CLIENTS).user_agent}\r\n"
            f"X-Forwarded-For: {address}\r\nAccept-Language: en-US,en;q=0.9\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        made.append(head + body)
    return made


async def load(
    port: int, requests: list[bytes], connections: int, warm_up_s: float, seconds: float
) -> dict[str, object]:
    """Runs the crowd and returns {per_s, p50_ms, p99_ms, statuses}."""
    loop = asyncio.get_running_loop()
    run = Run(requests, warm_up_s, seconds)
    run.open = connections
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await run.finished
    return {
        "per_s": run.statuses.get("202", 0) / seconds,
        "p50_ms": percentile(run.latencies_s, 0.5) * 1000,
        "p99_ms": percentile(run.latencies_s, 0.99) * 1000,
        "statuses": run.statuses,
    }


def main() -> None:
    """The command of the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--site", default="demo.example")
    asked = parser.parse_args()
    requests = events(asked.site, asked.port)
    found = uvloop.run(load(asked.port, requests, asked.connections, asked.warm_up, asked.seconds))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
