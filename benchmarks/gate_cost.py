"""What a gate costs: letting in, refusing in ASGI, refusing early. One JSON line a figure.

Run: `uv run --group benchmark python -m benchmarks.gate_cost`. Letting in is measured beside the standard library's and
anyio's semaphores, in turn, in one run. All figures are CPU time, of the thread or of the server, since machines are shared.
A refusal is what a whole uvicorn, on a process of its own with uvloop and httptools, spends on one request over a connection
that is kept, system calls included (/proc/PID/task/*/schedstat, so Linux only); beside it the same server with an application
that answers 200 with one byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path

import anyio

from benchmarks.report import report
from seawall import Adaptive, Fixed, Gate, Overloaded, Workload
from seawall.asgi import App, Ticket, admission

ROUNDS = 31
SERVED_ROUNDS = 9
REQUEST = b"GET /page HTTP/1.1\r\nhost: bench\r\naccept: */*\r\nuser-agent: bench\r\n\r\n"
Cost = Callable[[], float]


def main() -> None:
    """Measure everything and print it."""
    if len(sys.argv) > 1:
        serve(sys.argv[1], int(sys.argv[2]))
        return
    gate = Gate("bench", Fixed(4), [Workload("page", share=0.5), Workload("other")])
    adaptive = Gate("adaptive", Adaptive(), [Workload("page")])
    goal = "<= 5 us"
    compare("let in, task", admit_cost(gate), "asyncio.Semaphore", async_cost(lambda: asyncio.Semaphore(4)), goal)
    compare(
        "let in, task", admit_cost(gate), "anyio.CapacityLimiter", async_cost(lambda: anyio.CapacityLimiter(4)), goal
    )
    compare(
        "let in, adaptive", admit_cost(adaptive), "asyncio.Semaphore", async_cost(lambda: asyncio.Semaphore(4)), goal
    )
    compare("let in, thread", admit_sync_cost(gate), "threading.Semaphore", with_cost(threading.Semaphore(4)), goal)
    compare("refused, by Overloaded", overloaded_cost(), "let in, task", admit_cost(gate), "")
    compare("refused in ASGI, the callable alone", refused_cost(), "let in, task", admit_cost(gate), "")
    compare_served()


def compare(name: str, ours: Cost, peer: str, theirs: Cost, goal: str, rounds: int = ROUNDS) -> None:
    """Measure both in turn and print one line, in microseconds. `ratio` is the median of the rounds' own ratios."""
    ours(), theirs()  # a first round warms up
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    own, other = (statistics.median(values) * 1e6 for values in zip(*pairs, strict=True))
    ratio = statistics.median(mine / yours for mine, yours in pairs)
    report(name, "us CPU", own, peer=peer, peer_value=other, ratio=ratio, goal=goal)


def async_cost(make: Callable[[], AbstractAsyncContextManager[object]], count: int = 3_000) -> Cost:
    """CPU seconds for one `async with` and its leaving."""

    async def enter_and_leave() -> float:
        semaphore = make()
        began_s = time.thread_time()
        for _ in range(count):
            async with semaphore:
                pass
        return (time.thread_time() - began_s) / count

    return lambda: asyncio.run(enter_and_leave())


def admit_cost(gate: Gate, count: int = 3_000) -> Cost:
    """CPU seconds for being let in, in a task, and leaving."""

    async def enter_and_leave() -> float:
        began_s = time.thread_time()
        for _ in range(count):
            async with gate.admit("page", tenant="acme"):
                pass
        return (time.thread_time() - began_s) / count

    return lambda: asyncio.run(enter_and_leave())


def with_cost(semaphore: AbstractContextManager[object], count: int = 3_000) -> Cost:
    """CPU seconds for one `with` and its leaving."""

    def cost() -> float:
        began_s = time.thread_time()
        for _ in range(count):
            with semaphore:
                pass
        return (time.thread_time() - began_s) / count

    return cost


def admit_sync_cost(gate: Gate, count: int = 3_000) -> Cost:
    """CPU seconds for being let in, in a thread, and leaving."""

    def cost() -> float:
        began_s = time.thread_time()
        for _ in range(count):
            with gate.admit_sync("page", tenant="acme"):
                pass
        return (time.thread_time() - began_s) / count

    return cost


def a_crowded_gate(seats_taken: int = 4) -> Gate:
    """All seats taken, and a queue of 64 of ten tenants that is full."""
    gate = Gate("crowded", Fixed(seats_taken), [Workload("page", queue_limit=64, deadline_s=3600.0)])
    for _ in range(seats_taken):
        gate.admit_sync("page").__enter__()
    return gate


async def crowd(gate: Gate) -> list[asyncio.Task[object]]:
    """Fill the gate's queue."""
    waiters = [asyncio.ensure_future(gate.admit("page", tenant=str(n % 10)).__aenter__()) for n in range(64)]
    await asyncio.sleep(0)
    return waiters


async def leave(waiters: list[asyncio.Task[object]]) -> None:
    """Empty the queue."""
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)


def overloaded_cost(count: int = 2_000) -> Cost:
    """CPU seconds for being refused by an exception where the queue is full."""

    async def cost() -> float:
        gate = a_crowded_gate()
        waiters = await crowd(gate)
        began_s = time.thread_time()
        for _ in range(count):
            try:
                async with gate.admit("page", tenant="1"):
                    pass
            except Overloaded:
                pass
        taken_s = (time.thread_time() - began_s) / count
        await leave(waiters)
        return taken_s

    return lambda: asyncio.run(cost())


def refused_cost(count: int = 2_000) -> Cost:
    """CPU seconds for a refusal by the middleware, the server left out."""

    async def send(message: object) -> None:
        pass

    async def cost() -> float:
        gate = a_crowded_gate()
        waiters = await crowd(gate)
        app = refusing(gate)
        headers = [(b"host", b"bench"), (b"accept", b"*/*"), (b"user-agent", b"bench")]
        scope = {"type": "http", "method": "GET", "path": "/page", "headers": headers, "http_version": "1.1"}
        began_s = time.thread_time()
        for _ in range(count):
            await app(scope, send, send)  # type: ignore[arg-type]
        taken_s = (time.thread_time() - began_s) / count
        await leave(waiters)
        return taken_s

    return lambda: asyncio.run(cost())


def refusing(gate: Gate) -> App:
    """The middleware in front of an application that is never reached."""
    ticket = Ticket("page", tenant="1")
    return admission(answers, gate, lambda scope: ticket)


async def answers(scope: object, receive: object, send: Callable[[object], object]) -> None:
    """The least an application can do."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})  # type: ignore[misc]
    await send({"type": "http.response.body", "body": b"."})  # type: ignore[misc]


# With a whole server.


def compare_served() -> None:
    """What a server spends on each kind of request, the kinds in turn."""
    with contextlib.ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(kind)) for kind in ("bare", "asgi", "early")}
        for asks in servers.values():
            asks()
        rounds = [{kind: asks() for kind, asks in servers.items()} for _ in range(SERVED_ROUNDS)]
    for kind, name, goal in (
        ("asgi", "refused in ASGI, whole server", "<= 50 us"),
        ("early", "refused early, whole server", "<= 15 us"),
    ):
        own = statistics.median(found[kind] for found in rounds) * 1e6
        floor = statistics.median(found["bare"] for found in rounds) * 1e6
        ratio = statistics.median(found[kind] / found["bare"] for found in rounds)
        report(name, "us CPU", own, peer="200 with one byte", peer_value=floor, ratio=ratio, goal=goal)


@contextlib.contextmanager
def serving(kind: str, count: int = 2_000) -> Iterator[Cost]:
    """A server of that kind on a process of its own; calling what it yields asks `count` times and returns its CPU seconds
    for one request."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "benchmarks.gate_cost", kind, str(listening.fileno())]
        with subprocess.Popen(command, pass_fds=[listening.fileno()]) as process:
            try:
                with socket.create_connection(listening.getsockname(), timeout=60) as connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    ask(connection, kind)  # it has started

                    def cost() -> float:
                        before_s = cpu_s_of(process.pid)
                        for _ in range(count):
                            ask(connection, kind)
                        return (cpu_s_of(process.pid) - before_s) / count

                    yield cost
            finally:
                process.terminate()


def ask(connection: socket.socket, kind: str) -> None:
    """One request and its answer, which comes in at most two segments."""
    connection.sendall(REQUEST)
    answer = connection.recv(65_536)
    expected = b" 200 " if kind == "bare" else b" 429 "
    assert expected in answer[:16], answer
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    while len(body) < length:
        body += connection.recv(65_536)


def cpu_s_of(pid: int) -> float:
    """CPU seconds that the process' threads have used."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def serve(kind: str, descriptor: int) -> None:
    """Be the server."""
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from seawall.early_refusal import early_refusal

    gate = a_crowded_gate()

    async def run() -> None:
        waiters = await crowd(gate)
        app = answers if kind == "bare" else refusing(gate)
        early = early_refusal(HttpToolsProtocol, gate, {"/page": "page"}, tenant_of=lambda path, head: "1")
        config = uvicorn.Config(
            app,
            http=early if kind == "early" else HttpToolsProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
        )
        await uvicorn.Server(config).serve([socket.socket(fileno=descriptor)])
        await leave(waiters)

    with contextlib.suppress(KeyboardInterrupt):
        import uvloop

        uvloop.run(run())
    os._exit(0)


if __name__ == "__main__":
    main()
