"""The tutorial docs/tutorial/a-fastapi-service-that-stops-falling-over.md: the same service with stock parts, which
hangs, and with Seawall under it, which does not."""

import asyncio
import threading
from collections.abc import Iterator

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import QueuePool

from seawall import Overloaded, ThreadPool
from seawall.integrations.fastapi import answer_overloaded, lifespan
from seawall.integrations.sqlalchemy import SeawallPool

THREADS, CONNECTIONS, PEOPLE = 4, 2, 30


def service(engine: Engine, **options) -> FastAPI:
    """An ordinary service: a dependency that takes a connection, handlers that are plain functions."""
    app = FastAPI(**options)

    def connection() -> Iterator[Connection]:
        with engine.connect() as opened:
            yield opened

    @app.get("/page")
    def page(db: Connection = Depends(connection)) -> int:  # noqa: B008 - FastAPI's way
        return db.execute(text("SELECT 7")).scalar_one()

    together = threading.Barrier(THREADS)

    @app.get("/nested")
    def nested(number: int) -> int:
        together.wait(30)  # the crowd arrives at once
        return anyio.from_thread.run(run_in_threadpool, abs, -number)

    return app


async def visit(app: FastAPI, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.get(path)


def crowd(app: FastAPI, paths: list[str]) -> "asyncio.Future[list[httpx.Response]]":
    return asyncio.gather(*[asyncio.create_task(visit(app, path)) for path in paths])


PAGES = ["/page"] * PEOPLE
NESTED = [f"/nested?number={number}" for number in range(THREADS)]


def an_engine(tmp_path, poolclass) -> Engine:
    return create_engine(
        f"sqlite:///{tmp_path}/db.sqlite", poolclass=poolclass, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=30
    )


@pytest.mark.parametrize("paths", [PAGES, NESTED], ids=["pool in pool", "nested waits"])
def test_trap_with_stock_parts_the_service_hangs(tmp_path, paths: list[str]) -> None:
    engine = an_engine(tmp_path, QueuePool)
    app = service(engine)

    async def main() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = THREADS
        answers = crowd(app, paths)
        with anyio.move_on_after(0.5):
            await asyncio.shield(answers)
        assert not answers.done()
        assert limiter.borrowed_tokens == THREADS  # every thread waits for what needs a thread to go on
        limiter.total_tokens = 2 * PEOPLE  # only more threads than people let it go on
        assert {answer.status_code for answer in await answers} == {200}

    asyncio.run(main())
    engine.dispose()


@pytest.mark.parametrize("paths", [PAGES, NESTED], ids=["pool in pool", "nested waits"])
def test_fix_with_seawall_the_same_service_answers_everyone(tmp_path, paths: list[str]) -> None:
    engine = an_engine(tmp_path, SeawallPool)
    handlers = ThreadPool("handlers", max_threads=THREADS, queue_limit=100)
    app = service(engine, lifespan=lifespan(handlers))

    async def main() -> None:
        async with app.router.lifespan_context(app):
            for _ in range(3):
                answers = await asyncio.wait_for(crowd(app, paths), 30)
                assert {answer.status_code for answer in answers} == {200}
            assert engine.pool.statistics().free == CONNECTIONS

    asyncio.run(main())
    engine.dispose()


def test_fix_a_crowd_beyond_the_queue_is_told_to_come_back_and_the_others_are_served(tmp_path) -> None:
    engine = an_engine(tmp_path, SeawallPool)
    app = service(engine, lifespan=lifespan(ThreadPool("handlers", max_threads=THREADS, queue_limit=5)))
    app.add_exception_handler(Overloaded, answer_overloaded)

    async def main() -> None:
        async with app.router.lifespan_context(app):
            answers = await asyncio.wait_for(crowd(app, ["/page"] * 200), 60)
            codes = [answer.status_code for answer in answers]
            assert set(codes) == {200, 503}
            assert codes.count(200) >= 5
            assert all(int(a.headers["retry-after"]) >= 1 for a in answers if a.status_code == 503)
            assert (await visit(app, "/page")).status_code == 200

    asyncio.run(main())
    engine.dispose()
