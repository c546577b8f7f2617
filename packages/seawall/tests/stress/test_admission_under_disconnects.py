"""Requests of two event loops at one gate in front of an application: they disconnect, are cancelled, late and refused."""

import asyncio
import os
import random
import threading

import pytest

from seawall import Fixed, Gate, Workload
from seawall.asgi import Ticket, admission

IN_SUITE = 3_000
IN_SOAK = int(os.environ.get("SOAK_CANCELS", "1000000"))
PATIENCE_S = 240.0
WORKLOADS = [
    Workload("page", share=0.5, queue_limit=8, deadline_s=0.005, burst_s=0.01),
    Workload("left", queue_limit=8, deadline_s=0.005, cancel_on_disconnect=True),
]
TICKETS = [Ticket(workload.name, tenant) for workload in WORKLOADS for tenant in "abc"]


class Tally:
    """What the requests saw."""

    def __init__(self, enough: int) -> None:
        self.guard = threading.Lock()
        self.enough = enough
        self.asked = self.early = self.inside = 0
        self.errors: list[str] = []

    def note(self, was_early: bool) -> None:
        with self.guard:
            self.asked += 1
            self.early += was_early

    def enter(self, change: int) -> None:
        with self.guard:
            self.inside += change
            if self.inside > 3:
                self.errors.append(f"{self.inside} inside")

    def is_over(self) -> bool:
        return self.early >= self.enough or bool(self.errors)


async def on_loop(gate: Gate, tally: Tally, seed: int) -> None:
    chance = random.Random(seed)

    async def app(scope, receive, send) -> None:
        tally.enter(1)
        try:
            message = await receive()
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
            if message["type"] == "http.request" and message["body"] != b"whole":
                tally.errors.append(f"a body was lost: {message}")
        finally:
            tally.enter(-1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    wrapped = admission(app, gate, lambda scope: scope["ticket"])

    async def request() -> None:
        inbox: asyncio.Queue[dict] = asyncio.Queue()
        sent: list[dict] = []

        async def send(message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "ticket": chance.choice(TICKETS)}
        task = asyncio.ensure_future(wrapped(scope, inbox.get, send))
        ending = chance.choice(["stays", "stays", "disconnects", "disconnects", "cancelled"])
        if chance.random() < 0.5:
            await asyncio.sleep(0)
        inbox.put_nowait({"type": "http.request", "body": b"whole", "more_body": False})
        for _ in range(chance.randrange(8)):
            await asyncio.sleep(0)
        if ending == "disconnects":
            inbox.put_nowait({"type": "http.disconnect"})
        elif ending == "cancelled":
            await asyncio.sleep(0)  # it has begun, so that each is seen by the gate
            task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            if ending != "cancelled":
                tally.errors.append("a cancel came out of nowhere")
        elif task.exception() is not None:
            tally.errors.append(repr(task.exception()))
        elif ending == "stays" and not sent:
            tally.errors.append("somebody was not answered")
        tally.note(was_early=not sent or sent[0]["status"] != 200)

    while not tally.is_over():
        await asyncio.gather(*[request() for _ in range(12)])


def fight(enough: int, patience_s: float) -> None:
    gate, tally = Gate("web", Fixed(3), WORKLOADS), Tally(enough)

    def guarded(seed: int) -> None:
        try:
            asyncio.run(on_loop(gate, tally, seed))
        except BaseException as error:
            tally.errors.append(repr(error))
            raise

    threads = [threading.Thread(target=guarded, args=(seed,), daemon=True) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience_s)
    assert not [thread for thread in threads if thread.is_alive()], "somebody waits for ever"
    assert tally.errors == []
    figures = gate.statistics()
    assert (figures.seats_taken, figures.in_flight, figures.waiting, figures.holders) == (0, 0, 0, ())
    assert sum(w.arrivals_total for w in figures.workloads) == tally.asked
    for found in figures.workloads:
        assert found.arrivals_total == found.done_total + found.refused_total + found.cancelled_total
        assert found.done_total > 0
        assert found.cancelled_total > 0


def test_requests_that_disconnect_and_are_cancelled_are_accounted_for() -> None:
    fight(IN_SUITE, PATIENCE_S)


@pytest.mark.soak
def test_the_same_with_a_million() -> None:
    fight(IN_SOAK, patience_s=7200)
