"""Mend 4: who is refused is refused before the service has begun, sign-ins go on, and who leaves is out of the line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import event

from lab.launch_day.database import Database
from lab.launch_day.seed import Crowd
from seawall.core.gate_statistics import WorkloadStatistics

COMES_S = 60.0
MENDS = ("locks", "pool", "admission")

Service = Callable[..., ModuleType]
Message = dict[str, Any]
Gated = Callable[..., Awaitable[None]]


class Client:
    """One request, sent to an ASGI application without a server between."""

    def __init__(self, method: str, path: str, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.scope: Message = {"type": "http", "method": method, "path": path, "query_string": b"", "root_path": ""}
        self.scope |= {"headers": [(b"content-type", b"application/json"), *headers], "http_version": "1.1"}
        self.sent: list[Message] = []
        self._body = body
        self._was_read = False
        self._has_left = asyncio.Event()

    def leave(self) -> None:
        """Close the connection."""
        self._has_left.set()

    async def ask(self, app: Gated) -> int:
        """The status of the answer; 0 where there was none."""
        await asyncio.wait_for(app(self.scope, self._receive, self._send), COMES_S)
        return self.sent[0]["status"] if self.sent else 0

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Those of the answer."""
        return dict(self.sent[0]["headers"])

    async def _receive(self) -> Message:
        if not self._was_read:
            self._was_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._has_left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


def opening(crowd: Crowd, n: int) -> Client:
    """Someone opens a dashboard; each `n` up to 50 is somebody else."""
    tokens = list(dict.fromkeys(visit.token for visit in crowd.visits))
    visit = next(visit for visit in crowd.visits if visit.token == tokens[n])
    return Client("GET", f"/dashboard/{visit.site_id}", headers=[(b"cookie", f"session={visit.token}".encode())])


def signing_in(crowd: Crowd) -> Client:
    """Someone signs in."""
    return Client("POST", "/sign-in", json.dumps({"email": crowd.emails[0], "password": crowd.password}).encode())


@pytest.fixture
def full(service: Service) -> Iterator[tuple[ModuleType, ExitStack]]:
    """A service all of whose seats are taken by dashboards; closing the stack gives one of them back."""
    mended = service(*MENDS)
    with ExitStack() as seats, ExitStack() as one:
        for n in range(mended.SEATS):
            (seats if n else one).enter_context(mended.gate.admit_sync("dashboard"))
        yield mended, one


def figures(service: ModuleType, workload: str) -> WorkloadStatistics:
    """How a workload stands."""
    return next(work for work in service.gate.statistics().workloads if work.name == workload)


async def come_to(service: ModuleType, workload: str, people: int) -> None:
    """Return when so many have come to the gate for a workload."""
    for _ in range(1000):
        if figures(service, workload).arrivals_total == people:
            return
        await asyncio.sleep(0)
    pytest.fail(f"{figures(service, workload).arrivals_total} came, not {people}")


def test_who_finds_the_line_full_is_told_when_to_come_back_and_nothing_is_done_for_them(
    full: tuple[ModuleType, ExitStack],
) -> None:
    service, _ = full
    connections: list[object] = []
    event.listen(service.engine, "checkout", lambda *_: connections.append(1))

    async def come() -> list[Client]:
        cookies = [[(b"cookie", b"session=%d" % n)] for n in range(70)]  # nobody's, but each is somebody else
        people = [Client("GET", "/dashboard/1", headers=cookie) for cookie in cookies]
        assert await asyncio.gather(*(someone.ask(service.gated) for someone in people)) == [503] * 70
        return people

    people = asyncio.run(come())
    reasons = [json.loads(someone.sent[1]["body"])["reason"] for someone in people]
    assert reasons == ["late"] * 64 + ["full"] * 6
    assert all(int(someone.headers[b"retry-after"]) >= 1 for someone in people)
    assert connections == []


def test_a_sign_in_gets_the_next_seat_whatever_stands_in_the_line_of_dashboards(
    full: tuple[ModuleType, ExitStack], crowd: Crowd
) -> None:
    service, one_seat = full

    async def come() -> int:
        dashboards = [asyncio.ensure_future(opening(crowd, n).ask(service.gated)) for n in range(8)]
        await come_to(service, "dashboard", service.SEATS + 8)
        sign_in = asyncio.ensure_future(signing_in(crowd).ask(service.gated))
        await come_to(service, "sign-in", 1)
        before = figures(service, "dashboard").waiting
        one_seat.close()
        assert (figures(service, "sign-in").waiting, figures(service, "dashboard").waiting) == (0, before)
        status, *_ = await asyncio.gather(sign_in, *dashboards)
        return status

    assert asyncio.run(come()) == 200


def test_who_leaves_is_taken_out_of_the_line(full: tuple[ModuleType, ExitStack], crowd: Crowd) -> None:
    service, _ = full

    async def come() -> tuple[int, list[Message]]:
        someone = signing_in(crowd)
        asking = asyncio.ensure_future(someone.ask(service.gated))
        await come_to(service, "sign-in", 1)
        someone.leave()
        await asking
        return figures(service, "sign-in").waiting, someone.sent

    assert asyncio.run(come()) == (0, [])
    assert figures(service, "sign-in").cancelled_total == 1


def test_figures_pass_by_the_full_gate(full: tuple[ModuleType, ExitStack]) -> None:
    service, _ = full
    assert service.ticket({"path": "/metrics", "headers": []}) is None

    async def look() -> int:
        return await Client("GET", "/metrics").ask(service.gated)

    assert asyncio.run(look()) == 200


def test_a_service_with_the_gate_counts_everybody_it_let_in(service: Service, server: Database, crowd: Crowd) -> None:
    mended = service(*MENDS)

    async def come() -> list[int]:
        return await asyncio.gather(*(opening(crowd, n).ask(mended.gated) for n in range(20)))

    served = asyncio.run(come()).count(200)
    assert 0 < served == server.views()
