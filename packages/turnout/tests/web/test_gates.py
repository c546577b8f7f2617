"""The gates in front of a small application: who waits, what the refused are told, and what is never refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from crowd import HTML, Crowd, Message, classify, until

from turnout.settings import Settings, for_cores
from turnout.web.whole_body import whole_body


def test_who_waits_in_vain_gets_a_page_that_asks_again_or_json() -> None:
    async def run() -> None:
        crowd = Crowd()
        inside = asyncio.create_task(crowd.ask("/sites/acme.example/suggest"))
        await until(lambda: crowd.in_flight() == 1)
        page = await crowd.ask("/sites", headers=HTML)
        form = await crowd.ask("/sites", "POST", headers=HTML)
        data = await crowd.ask("/sites/acme.example")
        crowd.go_on.set()
        assert (await inside)[2] == b"here"
        assert page[0] == form[0] == data[0] == 503
        assert b"Busy just now" in page[2]
        assert b"{" not in page[2]
        assert page[1][b"refresh"] == page[1][b"retry-after"]
        assert b"refresh" not in form[1]
        assert b"default-src 'self'" in page[1][b"content-security-policy"]
        assert data[1][b"content-type"] == b"application/problem+json"
        problem = json.loads(data[2])
        assert (problem["status"], problem["reason"], problem["retry_after_s"]) == (
            503,
            "late",
            int(data[1][b"retry-after"]),
        )
        assert (await crowd.ask("/sites/acme.example"))[0] == 200

    asyncio.run(run())


def test_operations_and_files_go_in_past_a_crowd() -> None:
    async def run() -> None:
        crowd = Crowd()
        tasks = [asyncio.create_task(crowd.ask(f"/sites/{number}.example")) for number in range(20)]
        await until(lambda: crowd.waiting("dashboard") == 19)
        for path in ("/ops", "/ops/snapshot", "/ops/stacks", "/static/app.js"):
            assert (await crowd.ask(path))[0] == 200
        crowd.go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_a_crowd_of_sign_ins_waits_in_a_line_of_its_own() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(page_seats=4), cores=2))
        tasks = [asyncio.create_task(crowd.ask("/login", "POST")) for _ in range(300)]
        await until(lambda: crowd.waiting("sign-in") == 299)
        page = asyncio.create_task(crowd.ask("/sites"))
        await until(lambda: crowd.in_flight() == 2)
        assert crowd.waiting("account") == 0
        crowd.go_on.set()
        assert {status for status, _, _ in await asyncio.gather(page, *tasks)} == {200}

    asyncio.run(run())


def test_who_leaves_stops_what_only_he_asked_for_and_no_change_of_data() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(), cores=2))
        leaves = asyncio.Event()
        asked = ["/sites/acme.example", "/share/x/cards/pages", "/sites/acme.example/exports/x/file"]
        gone = [asyncio.create_task(crowd.ask(path, leaves=leaves)) for path in asked]
        gone.append(asyncio.create_task(crowd.ask("/api/v2/query", "POST", leaves=leaves)))
        change = asyncio.create_task(crowd.ask("/sites/acme.example/settings/delete", "POST", leaves=leaves))
        await until(lambda: crowd.in_flight() == 5)
        leaves.set()
        assert [status for status, _, _ in await asyncio.gather(*gone)] == [0, 0, 0, 0]
        assert sorted(crowd.cancelled) == sorted([*asked, "/api/v2/query"])
        crowd.go_on.set()
        assert (await change)[0] == 200
        assert crowd.in_flight() == 0

    asyncio.run(run())


def test_a_request_has_the_deadline_of_its_workload_and_a_stream_has_none() -> None:
    async def run() -> None:
        crowd = Crowd()
        crowd.go_on.set()
        await crowd.ask("/sites/acme.example")
        await crowd.ask("/sites/acme.example/live")
        within_s = crowd.remaining_s["/sites/acme.example"]
        assert within_s is not None
        assert 0 < within_s <= 30
        assert crowd.remaining_s["/sites/acme.example/live"] is None

    asyncio.run(run())


def test_there_is_a_seat_for_each_stream_and_no_line_for_them() -> None:
    async def run() -> None:
        crowd = Crowd()
        stream = asyncio.create_task(crowd.ask("/sites/acme.example/live"))
        await until(lambda: crowd.in_flight() == 1)
        assert (await crowd.ask("/sites/acme.example/live"))[0] == 503
        crowd.go_on.set()
        await stream

    asyncio.run(run())


def scope(path: str, method: str = "GET", headers: list[tuple[bytes, bytes]] | None = None) -> Message:
    return {"type": "http", "method": method, "path": path, "headers": headers or [], "client": ("203.0.113.5", 1)}


def test_tenants_are_organisations_and_what_is_made_up_shares_one_line() -> None:
    key = [(b"authorization", b"Bearer tk_1")]
    made_up = [(b"authorization", b"Bearer tk_made_up")]
    for asked, tenant in (
        (scope("/sites/acme.example"), "organisation 7"),
        (scope("/sites/made-up.example"), ""),
        (scope("/sites/acme.example/cards/pages"), "organisation 7"),
        (scope("/share/abc/live"), "links a"),
        (scope("/api/v2/query", "POST", key), "organisation 9"),
        (scope("/api/v2/query", "POST", made_up), ""),
        (scope("/api/v2/query", "POST"), ""),
        (scope("/login", "POST"), "203.0.113.5"),
        (scope("/account"), ""),
    ):
        assert classify(asked).tenant == tenant, asked["path"]


def test_who_asks_for_the_same_page_comes_in_with_the_first() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(page_seats=1), cores=2))
        other = asyncio.create_task(crowd.ask("/sites/other.example"))
        await until(lambda: crowd.in_flight() == 1)
        same = [asyncio.create_task(crowd.ask("/sites/acme.example")) for _ in range(10)]
        await until(lambda: crowd.waiting("dashboard") == 1)
        other.cancel()
        await until(lambda: crowd.in_flight() == 10)
        late = asyncio.create_task(crowd.ask("/sites/acme.example"))
        await until(lambda: crowd.in_flight() == 11)
        assert crowd.gates.pages.statistics().in_flight == 1
        crowd.go_on.set()
        assert {status for status, _, _ in await asyncio.gather(*same, late)} == {200}

    asyncio.run(run())


def test_when_the_first_leaves_or_is_refused_the_others_come_by_themselves() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(page_seats=1), cores=2))
        other = asyncio.create_task(crowd.ask("/sites/other.example"))
        await until(lambda: crowd.in_flight() == 1)
        leaves = asyncio.Event()
        first = asyncio.create_task(crowd.ask("/sites/acme.example", leaves=leaves))
        await until(lambda: crowd.waiting("dashboard") == 1)
        next_ones = [asyncio.create_task(crowd.ask("/sites/acme.example")) for _ in range(2)]
        await asyncio.sleep(0)
        leaves.set()
        assert (await first)[0] == 0
        await until(lambda: crowd.waiting("dashboard") == 2)
        crowd.go_on.set()
        assert {status for status, _, _ in await asyncio.gather(other, *next_ones)} == {200}

    asyncio.run(run())


def test_who_waits_to_sign_in_is_told_the_place_and_nobody_elses() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(), cores=2))

        async def place_of(query: bytes) -> dict[str, Any]:
            status, _, body = await crowd.ask("/login/line", query=query)
            assert status == 200
            found: dict[str, Any] = json.loads(body)
            return found

        names = [f"line={number:032x}".encode() for number in range(3)]
        tasks = []
        for number, name in enumerate(names):
            tasks.append(asyncio.create_task(crowd.ask("/login", "POST", query=name)))
            await until(lambda already=number: crowd.waiting("sign-in") == already)  # type: ignore[misc]
        assert [(await place_of(name))["place"] for name in names] == [None, 1, 2]
        for other in (b"", b"line=x", b"line=" + b"f" * 32, b"line=%s&a=b" % names[1][5:]):
            assert await place_of(other) == {"place": None, "wait_s": 0.0}
        crowd.go_on.set()
        await asyncio.gather(*tasks)
        assert [(await place_of(name))["place"] for name in names] == [None] * 3

    asyncio.run(run())


def test_who_sends_a_form_slowly_keeps_nobody_out() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(), cores=2))
        ends = asyncio.Event()
        slow = [asyncio.create_task(crowd.ask("/login", "POST", body_ends=ends)) for _ in range(50)]
        await asyncio.sleep(0)
        crowd.go_on.set()
        assert (await crowd.ask("/login", "POST"))[0] == 200
        assert crowd.gates.sign_ins.statistics().in_flight == 0
        ends.set()
        assert {status for status, _, _ in await asyncio.gather(*slow)} == {200}

    asyncio.run(run())


def test_a_form_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnout.web.whole_body.BODY_S", 0.0)

    async def run() -> None:
        crowd = Crowd()
        status, headers, _ = await crowd.ask("/login", "POST", body_ends=asyncio.Event())
        assert (status, headers[b"connection"]) == (408, b"close")
        assert crowd.in_flight() == 0

    asyncio.run(run())


def test_a_form_is_handed_on_as_it_came_and_what_is_too_long_to_its_limit() -> None:
    async def run() -> None:
        parts = [b"a" * 1000, b"b" * 1000, b"c"]
        messages: list[Message] = [{"type": "http.request", "body": part, "more_body": part != b"c"} for part in parts]
        left = list(messages)

        async def receive() -> Message:
            return left.pop(0) if left else {"type": "http.disconnect"}

        whole = await whole_body(receive, 10_000)
        assert whole is not None
        assert [await whole() for _ in range(4)] == [*messages, {"type": "http.disconnect"}]
        left[:] = messages
        cut = await whole_body(receive, 1_500)
        assert cut is not None
        assert left == messages[2:]
        assert [await cut() for _ in range(3)] == messages
        left[:] = messages[:2]
        assert await whole_body(receive, 10_000) is None

    asyncio.run(run())
