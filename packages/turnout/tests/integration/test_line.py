"""Statements in line before the real store: fair to organisations, pages before files, and nobody waits for who has left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from watched_store import ENDLESS, Store, query, until

from seawall import Fixed, Gate
from turnout.model.site import OrganisationId, Site, SiteId
from turnout.query.line import Following, Line, following, make_query_gate
from turnout.query.run import QueryRunner


def site(number: int) -> Site:
    return Site(SiteId(number), f"{number}.example", "UTC", OrganisationId(number))


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = make_query_gate(Fixed(2), 30.0)
    yield gate
    gate.close()


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Store]:
    """A store whose every statement runs until it is interrupted."""
    store = Store(tmp_path)
    store.reader.instead = ENDLESS
    yield store
    store.close()


def waiting(gate: Gate) -> dict[str, int]:
    return {work.name: work.waiting for work in gate.statistics().workloads if work.waiting}


def test_who_asks_sees_a_place_and_gets_on_when_others_leave(endless: Store, gate: Gate) -> None:
    runner = QueryRunner(endless.reader, endless.pool, line=Line(gate, "dashboard"))

    async def run() -> None:
        inside = [
            asyncio.create_task(runner.answer(site(1), query(filters=[["is", "visit:os", [f"{number}"]]])))
            for number in (2, 3)
        ]
        await until(lambda: endless.reader.begun == 2)
        ahead = asyncio.create_task(runner.answer(site(2), query()))
        await until(lambda: waiting(gate) == {"dashboard": 1})
        mine, shared = Following(), Following()
        with following(mine):
            asked = asyncio.create_task(runner.answer(site(3), query()))
        await until(lambda: waiting(gate) == {"dashboard": 2})
        with following(shared):
            with_me = asyncio.create_task(runner.answer(site(3), query()))
        await until(lambda: shared.place() is not None)
        assert (mine.place(), shared.place()) == (2, 2)
        assert endless.reader.begun == 2
        ahead.cancel()
        await until(lambda: mine.place() == 1)
        for task in inside:
            task.cancel()
        await until(lambda: endless.reader.begun == 3)
        assert mine.place() is None
        for task in (asked, with_me):
            task.cancel()
        await until(lambda: endless.reader.over == 3)
        assert gate.statistics().in_flight == 0

    asyncio.run(run())


def test_an_export_waits_until_no_page_does(endless: Store, gate: Gate) -> None:
    pages = QueryRunner(endless.reader, endless.pool, line=Line(gate, "dashboard"))
    files = QueryRunner(endless.reader, endless.pool, line=Line(gate, "export"))

    async def run() -> None:
        inside = [
            asyncio.create_task(pages.answer(site(1), query(filters=[["is", "visit:os", [f"{number}"]]])))
            for number in (2, 3)
        ]
        await until(lambda: endless.reader.begun == 2)
        file = asyncio.create_task(files.answer(site(1), query()))
        await until(lambda: waiting(gate) == {"export": 1})
        page = asyncio.create_task(pages.answer(site(1), query()))
        await until(lambda: waiting(gate) == {"export": 1, "dashboard": 1})
        inside[0].cancel()
        await until(lambda: waiting(gate) == {"export": 1} and endless.reader.begun == 3)
        for task in (*inside, page):
            task.cancel()
        await until(lambda: endless.reader.begun == 4)
        file.cancel()
        await until(lambda: endless.reader.over == 4)

    asyncio.run(run())


def test_one_organisation_that_asks_for_much_does_not_keep_the_others_waiting(endless: Store, gate: Gate) -> None:
    runner = QueryRunner(endless.reader, endless.pool, line=Line(gate, "dashboard"))

    async def run() -> None:
        many = [
            asyncio.create_task(runner.answer(site(1), query(filters=[["is", "visit:os", [f"{number}"]]])))
            for number in range(1, 61)
        ]
        await until(lambda: waiting(gate) == {"dashboard": 58})
        found = Following()
        with following(found):
            other = asyncio.create_task(runner.answer(site(2), query()))
        await until(lambda: found.place() is not None)
        assert found.place() in (1, 2)
        for task in (*many, other):
            task.cancel()
        await until(lambda: endless.reader.over == endless.reader.begun)

    asyncio.run(run())
