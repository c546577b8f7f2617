"""What being looked at costs a target: `python -m benchmarks.flashcrowd.instruments`. By CPU time, so others may be busy.

A service with a lock, a semaphore and a pool of connections answers requests one after the other, with and without
Seawall's `Server-Timing`, in turn; then it is looked at as the probe looks.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from statistics import median
from typing import Any

import uvicorn

from benchmarks.report import report
from flashcrowd.probe.fetch import fetch
from flashcrowd.probe.probe import EVERY_S
from flashcrowd.probe.process import LocalProcess
from seawall import Mutex, ResourcePool, Semaphore, request_timing
from seawall.console import Console

REQUESTS, LOOKS, ROUNDS = 10_000, 300, 5
GOAL = "≤ 3 % of the throughput"

ledger, exports, orders = Mutex("ledger"), Semaphore("exports", 8), ResourcePool("orders", object, max_size=8)
console = Console(allow=lambda scope: True)


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """`/timed` says what it waited for, `/bare` does the same and says nothing."""
    if scope["type"] != "http":
        return
    if scope["path"].startswith("/seawall"):
        await console({**scope, "root_path": "/seawall"}, receive, send)
        return
    headers = [(b"content-length", b"2")]
    with request_timing() if scope["path"] == "/timed" else nullcontext() as timing:
        async with ledger, exports, orders.borrow(timeout_s=5):
            pass
        if timing is not None:
            timing.add("lock.ledger", 0.001)  # as where somebody had to wait
            headers.append((b"server-timing", timing.header().encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def main() -> None:
    """Measures, and prints one line each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        child = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(listener.fileno())], pass_fds=[listener.fileno()], env=os.environ
        )
        try:
            _measure(port)
        finally:
            child.terminate()
            child.wait(30)


def _measure(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    _ask(connection, "/bare", 200)
    process = LocalProcess(port)

    def cpu_us(path: str) -> float:
        before = process.read().cpu_s_total or 0.0
        _ask(connection, path, REQUESTS)
        return ((process.read().cpu_s_total or 0.0) - before) / REQUESTS * 1e6

    pairs = [(cpu_us("/bare"), cpu_us("/timed")) for _ in range(ROUNDS)]
    bare_us, timed_us = median(bare for bare, _ in pairs), median(timed for _, timed in pairs)
    name, unit = "flashcrowd.instruments.server_timing", "µs of CPU a request"
    report(name, unit, timed_us, peer="without it", peer_value=bare_us, goal=GOAL)
    before = process.read().cpu_s_total or 0.0
    for _ in range(LOOKS):
        fetch(f"http://127.0.0.1:{port}/seawall/snapshot", "", 5.0)
    look_s = ((process.read().cpu_s_total or 0.0) - before) / LOOKS
    report("flashcrowd.instruments.look", "ms of CPU", look_s * 1000)
    report("flashcrowd.instruments.looks", "% of a core", 100 * look_s / EVERY_S, goal=GOAL)


def _ask(connection: http.client.HTTPConnection, path: str, times: int) -> None:
    for _ in range(times):
        connection.request("GET", path)
        connection.getresponse().read()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
    else:
        main()
