"""The collect path over bare ASGI, on a real journal: answers, limits, and what is durable when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seawall import Batcher, Fixed, Gate, Workload
from turnout.errors import JournalFull, StoreUnavailable
from turnout.ingest.journal import Journal
from turnout.ingest.pipeline import Pipeline
from turnout.ingest.place import Places
from turnout.ingest.visitor import Salts
from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId
from turnout.web.collect import Collect

SITES = {d: Site(SiteId(i), d, "Europe/Berlin", UserId(1)) for i, d in enumerate(["e.org", "f.org"], 1)}
UA = (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
EVENT = {"n": "pageview", "u": "https://e.org/a", "d": "e.org"}
PLACES = Places()


class Answer:
    """What came back."""

    def __init__(self, messages: list[MutableMapping[str, Any]]) -> None:
        self.is_none = not messages
        if messages:
            self.status = messages[0]["status"]
            self.headers = dict(messages[0]["headers"])
            self.body = b"".join(m.get("body", b"") for m in messages[1:])


class Edge:
    """A collect path with its journal."""

    def __init__(self, directory: Path) -> None:
        self.journal = Journal(directory / "journal.db", max_bytes=1 << 30, disk_floor_bytes=0)
        self.batcher: Batcher[Event] = Batcher("journal", self.journal.append, max_items=1_000, capacity=10_000)
        self.pipeline = self.with_put(self.batcher.put_many)
        self.gate = Gate("ingest", Fixed(1_000), [Workload("ingest", queue_limit=50, deadline_s=8.0)])
        self.collect = Collect(self.pipeline, self.gate)

    def with_put(self, put: Any) -> Pipeline:
        salts = Salts(self.journal._path.with_name("salts.json"))
        return Pipeline(SITES.get, put, salts=salts, places=PLACES)

    def ask(
        self,
        body: bytes | object = b"",
        headers: Sequence[tuple[bytes, bytes]] = (UA,),
        method: str = "POST",
        chunks: Sequence[bytes] | None = None,
        leaves: bool = False,
        collect: Collect | None = None,
    ) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        parts = list(chunks or [data])
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            if not parts:
                return {"type": "http.disconnect"}
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts) or leaves}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": "/api/event",
            "headers": list(headers),
            "client": ("192.0.2.9", 1),
        }
        asyncio.run((collect or self.collect)(scope, receive, send))  # type: ignore[arg-type]
        return Answer(sent)

    def stored(self) -> list[Event]:
        return [event for _, event in self.journal.read(0, 100_000)]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Edge]:
    it = Edge(tmp_path)
    yield it
    it.batcher.close(10)
    it.journal.close()


def test_202_ok_is_sent_once_the_event_is_in_the_journal(here: Edge) -> None:
    answer = here.ask(EVENT)
    assert (answer.status, answer.body) == (202, b"ok")
    assert answer.headers[b"access-control-allow-origin"] == b"*"
    [event] = here.stored()
    assert (event.site_id, event.page, event.browser, event.os) == (1, "/a", "Firefox", "GNU/Linux")
    assert "192.0.2.9" not in repr(event)


def test_one_event_for_several_sites_is_stored_for_all_and_unknown_ones_are_told(here: Edge) -> None:
    answer = here.ask({**EVENT, "d": "e.org,f.org,nowhere.org"})
    assert (answer.status, answer.headers[b"x-plausible-dropped"]) == (202, b"1")
    assert [event.site_id for event in here.stored()] == [1, 2]
    assert len({event.visitor for event in here.stored()}) == 2


def test_an_unknown_site_is_named(here: Edge) -> None:
    answer = here.ask({**EVENT, "d": "nowhere.org"})
    assert answer.status == 400
    assert "nowhere.org" in json.loads(answer.body)["errors"]["domain"][0]


def test_a_bot_is_dropped_and_told(here: Edge) -> None:
    answer = here.ask(EVENT, [(b"user-agent", b"curl/8.0")])
    assert (answer.status, answer.headers[b"x-plausible-dropped"]) == (202, b"1")
    assert here.stored() == []
    assert here.pipeline.dropped_total["bot"] == 1  # type: ignore[index]


def test_a_missing_user_agent_is_named(here: Edge) -> None:
    assert list(json.loads(here.ask(EVENT, []).body)["errors"]) == ["user_agent"]


def test_bad_input_is_400_in_plausibles_shape(here: Edge) -> None:
    answer = here.ask({**EVENT, "u": "about:blank"})
    assert answer.status == 400
    assert list(json.loads(answer.body)["errors"]) == ["url"]


def test_large_bodies_are_413_whether_declared_or_streamed(here: Edge) -> None:
    assert here.ask(b"", [UA, (b"content-length", b"10000000")]).status == 413
    assert here.ask(chunks=[b" " * 40_000, b" " * 40_000]).status == 413
    assert here.stored() == []


def test_a_body_in_pieces_is_read_whole(here: Edge) -> None:
    data = json.dumps(EVENT).encode()
    assert here.ask(chunks=[data[:5], data[5:9], data[9:]]).status == 202


def test_a_client_that_leaves_amid_its_body_gets_no_answer_and_stores_nothing(here: Edge) -> None:
    assert here.ask(EVENT, leaves=True).is_none
    assert here.stored() == []


def test_preflight_and_other_methods(here: Edge) -> None:
    preflight = here.ask(method="OPTIONS")
    assert (preflight.status, preflight.headers[b"access-control-allow-methods"]) == (204, b"POST, OPTIONS")
    get = here.ask(method="GET")
    assert (get.status, get.headers[b"allow"]) == (405, b"POST, OPTIONS")


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (b"203.0.113.7, 10.0.0.1", b"203.0.113.7"),
        (b"unknown, 203.0.113.7:4711", b"203.0.113.7"),
        (b"[2001:DB8::1]:443", b"2001:db8::1"),
        (b"10.1.2.3", b"10.1.2.3"),
        (b"junk", b"192.0.2.9"),
    ],
)
def test_a_debug_request_is_told_the_address_seen(here: Edge, forwarded: bytes, address: bytes) -> None:
    answer = here.ask(EVENT, [UA, (b"x-debug-request", b"true"), (b"x-forwarded-for", forwarded)])
    assert (answer.status, answer.body) == (200, address)
    assert here.stored() == []


@pytest.mark.parametrize(
    ("error", "word"), [(JournalFull("full"), "journal_full"), (StoreUnavailable("gone"), "journal_unavailable")]
)
def test_a_journal_that_can_not_take_it_is_503_with_retry_after(here: Edge, error: Exception, word: str) -> None:
    async def put(events: Sequence[Event]) -> None:
        raise error

    answer = here.ask(EVENT, collect=Collect(here.with_put(put), here.gate))
    assert (answer.status, json.loads(answer.body), answer.headers[b"retry-after"]) == (503, {"error": word}, b"5")


def test_an_event_that_waits_past_its_deadline_is_503_and_not_half_taken(here: Edge) -> None:
    answer = here.ask(EVENT, collect=Collect(here.pipeline, here.gate, put_timeout_s=0.0))
    assert answer.status == 503
    assert here.stored() == []


def test_a_hundred_at_once_are_a_hundred_events_of_one_visitor(here: Edge) -> None:
    data = json.dumps(EVENT).encode()

    async def one() -> int:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": data}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "headers": [UA], "client": ("192.0.2.9", 1)}
        await here.collect(scope, receive, send)  # type: ignore[arg-type]
        return int(sent[0]["status"])

    async def all_() -> list[int]:
        return await asyncio.gather(*(one() for _ in range(100)))

    assert asyncio.run(all_()) == [202] * 100
    assert len(here.stored()) == 100
    assert len({event.visitor for event in here.stored()}) == 1


def send_all(here: Edge, gate: Gate, count: int) -> tuple[list[int], list[int]]:
    """`count` events at once: their statuses, and how many were on their way to the journal whenever one was."""
    on_their_way: list[int] = []

    async def put(events: Sequence[Event]) -> None:
        on_their_way.append(gate.statistics().in_flight)
        await here.batcher.put_many(events)

    collect = Collect(here.with_put(put), gate)

    async def send_one(number: int) -> int:
        body = json.dumps({**EVENT, "u": f"https://e.org/{number}"}).encode()
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await collect({"type": "http", "method": "POST", "headers": [UA], "client": ("192.0.2.9", 1)}, receive, send)
        if sent[0]["status"] == 503:
            assert int(dict(sent[0]["headers"])[b"retry-after"]) >= 1
        return int(sent[0]["status"])

    async def run() -> list[int]:
        return list(await asyncio.gather(*(send_one(number) for number in range(count))))

    return asyncio.run(run()), on_their_way


def test_a_crowd_of_events_is_slowed_and_none_is_lost(here: Edge) -> None:
    statuses, on_their_way = send_all(here, Gate("few", Fixed(5), [Workload("ingest", deadline_s=8.0)]), 60)
    assert set(statuses) == {202}
    assert max(on_their_way) == 5
    assert sorted(event.page for event in here.stored()) == sorted(f"/{number}" for number in range(60))


def test_beyond_the_line_events_are_refused_and_exactly_those_acknowledged_are_stored(here: Edge) -> None:
    gate = Gate("fewer", Fixed(2), [Workload("ingest", queue_limit=10, deadline_s=8.0)])
    statuses, _ = send_all(here, gate, 60)
    assert set(statuses) == {202, 503}
    acknowledged = [number for number, status in enumerate(statuses) if status == 202]
    assert len(acknowledged) == 12
    assert sorted(event.page for event in here.stored()) == sorted(f"/{number}" for number in acknowledged)
