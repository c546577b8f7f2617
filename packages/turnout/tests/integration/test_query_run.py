from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watched_store import ENDLESS, SITE, Store, query, until

from turnout.errors import QueryCancelled, StoreUnavailable
from turnout.model.query import Row
from turnout.query.run import QueryRunner
from turnout.store.duckdb.reader import Reader


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def test_without_events_there_is_one_row_of_zeros(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)
    metrics = [
        "visitors",
        "visits",
        "pageviews",
        "views_per_visit",
        "bounce_rate",
        "visit_duration",
        "events",
        "percentage",
    ]
    result = asyncio.run(runner.answer(SITE, query(metrics=metrics)))
    assert result.rows == (Row((), (0, 0, 0, 0.0, 0, 0, 0, 0.0)),)


def test_without_events_there_is_no_first_day(store: Store) -> None:
    assert asyncio.run(QueryRunner(store.reader, store.pool).first_day(SITE)) is None


def test_equal_queries_at_once_share_one_run(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)
    results = asyncio.run(runner.answer_all(SITE, [query()] * 20))
    assert len(results) == 20
    assert store.reader.begun == 1


def test_in_the_lab_without_sharing_every_query_is_run_and_no_answer_kept(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool, shares=False)
    asyncio.run(runner.answer_all(SITE, [query()] * 3))
    asyncio.run(runner.answer(SITE, query()))
    assert store.reader.begun == 4


def test_a_question_is_run_again_only_after_something_was_stored(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)

    async def ask() -> None:
        assert await runner.answer(SITE, query()) == await runner.answer(SITE, query())
        assert store.reader.begun == 1
        store.position += 1
        await runner.answer(SITE, query())
        assert store.reader.begun == 2

    asyncio.run(ask())


def test_the_answers_kept_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnout.query.run.KEPT_ANSWERS", 2)
    runner = QueryRunner(store.reader, store.pool)

    async def ask() -> None:
        for system in ("a", "b", "c", "a"):
            await runner.answer(SITE, query(filters=[["is", "visit:os", [system]]]))
        assert store.reader.begun == 4

    asyncio.run(ask())


def test_queries_that_differ_do_not_share(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)
    asked = [query(), query(metrics=["visits"]), query(filters=[["is", "visit:os", ["x"]]])]
    asyncio.run(runner.answer_all(SITE, asked))
    assert store.reader.begun == 3


def test_new_events_are_not_answered_from_a_run_begun_before_them(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)

    async def ask_twice() -> None:
        first = asyncio.create_task(runner.answer(SITE, query()))
        await asyncio.sleep(0)
        store.position = 1
        await asyncio.gather(first, runner.answer(SITE, query()))

    asyncio.run(ask_twice())
    assert store.reader.begun == 2


def test_a_query_nobody_waits_for_is_interrupted(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)
    store.reader.instead = ENDLESS

    async def ask_and_leave() -> None:
        asked = asyncio.create_task(runner.answer_all(SITE, [query(), query(metrics=["visits"])]))
        await until(lambda: store.reader.begun == 2)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await until(lambda: store.reader.over == 2)

    asyncio.run(ask_and_leave())


def test_a_query_that_others_wait_for_goes_on_when_one_leaves(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)
    store.reader.instead = "SELECT sum(a.range % 7)::BIGINT FROM range(30000000) a"

    async def ask() -> None:
        leaver, stayer = (asyncio.create_task(runner.answer(SITE, query())) for _ in range(2))
        await until(lambda: store.reader.begun == 1)
        leaver.cancel()
        assert (await stayer).rows
        assert store.reader.begun == 1

    asyncio.run(ask())


def test_a_query_that_takes_too_long_is_interrupted_and_says_so(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool, timeout_s=0.1)
    store.reader.instead = ENDLESS

    async def ask() -> None:
        with pytest.raises(StoreUnavailable, match="too long"):
            await runner.answer(SITE, query())
        await until(lambda: store.reader.over == store.reader.begun)

    asyncio.run(ask())


def test_a_failing_engine_is_an_unavailable_store(store: Store) -> None:
    runner = QueryRunner(store.reader, store.pool)
    store.reader.instead = "SELECT * FROM nowhere"
    with pytest.raises(StoreUnavailable):
        asyncio.run(runner.answer_all(SITE, [query()]))
    store.reader.instead = None
    assert asyncio.run(runner.answer(SITE, query())).rows


def test_an_interrupt_stops_the_run_of_its_ticket_only(store: Store) -> None:
    outcomes: dict[str, object] = {}

    def run(ticket: str, sql: str) -> None:
        try:
            outcomes[ticket] = Reader.rows(store.reader, sql, [], ticket=ticket)
        except QueryCancelled as error:
            outcomes[ticket] = error

    threads = [
        threading.Thread(target=run, args=("endless", ENDLESS)),
        threading.Thread(target=run, args=("short", "SELECT 1")),
    ]
    for thread in threads:
        thread.start()
    store.reader.interrupt("another")
    while threads[0].is_alive():
        store.reader.interrupt("endless")
        threads[0].join(timeout=0.01)
    threads[1].join()
    assert outcomes["short"] == [(1,)]
    assert isinstance(outcomes["endless"], QueryCancelled)
