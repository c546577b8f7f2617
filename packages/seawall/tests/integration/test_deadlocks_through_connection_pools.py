"""Connections as part of a deadlock: found, broken and named; and what is none, though it looks like one."""

import asyncio
import contextvars
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, exc, text
from sqlalchemy.ext.asyncio import create_async_engine

from seawall import Deadlock, Mutex
from seawall.integrations.sqlalchemy import AsyncSeawallPool, SeawallPool
from seawall.observe.waits import WAITS


class Connected:
    """A connection of an engine, to be entered by any thread."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.inside = threading.local()

    def __enter__(self) -> None:
        self.inside.connection = self.engine.connect()
        self.inside.connection.execute(text("SELECT 1"))

    def __exit__(self, *error) -> None:
        self.inside.connection.close()


@pytest.fixture
def engine_of():
    made = []

    def make(name: str, size: int = 1, poolclass=SeawallPool):
        made.append(
            create_engine(
                "sqlite://",
                poolclass=poolclass,
                pool_size=size,
                max_overflow=0,
                pool_logging_name=name,
                pool_timeout=20,
                connect_args={"check_same_thread": False},
            )
        )
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.mark.parametrize("kinds", [("thread",) * n for n in range(2, 6)])
def test_a_ring_of_pools_is_broken_by_refusing_one(watched, planting, engine_of, kinds) -> None:
    places = [Connected(engine_of(f"db{n}")) for n in range(len(kinds))]
    outcome = planting.plant(kinds, [(places[n], places[(n + 1) % len(kinds)]) for n in range(len(kinds))])
    assert (len(outcome.refused), len(outcome.through)) == (1, len(kinds) - 1)
    assert {wait.resource for wait in outcome.refused[0][1].cycle} == {f"db{n}" for n in range(len(kinds))}
    assert all(place.engine.pool.statistics().free == 1 for place in places)
    assert WAITS.now() == ()


def test_two_pools_of_which_each_thread_holds_all_it_can(watched, planting, engine_of) -> None:
    here, there = engine_of("here", 2), engine_of("there", 2)
    places = [Connected(engine) for engine in (here, there)] * 2
    outcome = planting.plant(("thread",) * 4, [(places[n], places[(n + 1) % 4]) for n in range(4)])
    assert len(outcome.refused) == 1
    error = outcome.refused[0][1]
    assert {wait.resource for wait in error.cycle} == {"here", "there"}
    for wait in error.cycle:
        assert len(wait.holders) == 2
        assert all(holder.startswith("thread thread ") for holder in wait.holders)
        assert any("in in_thread" in line for line in wait.waiter_stack)
        assert all(any("in in_thread" in line for line in stack) for stack in wait.holder_stacks)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_second_connection_while_all_are_out_with_those_who_want_one(watched, planting, engine_of, size) -> None:
    engine = engine_of("db", size)
    first, second = Connected(engine), Connected(engine)
    outcome = planting.plant(("thread",) * size, [(first, second)] * size)
    assert (len(outcome.refused), len(outcome.through)) == (1, size - 1)
    assert outcome.refused[0][1].cycle[0].resource == "db"


def test_a_mutex_held_while_waiting_for_a_connection_whose_holder_wants_the_mutex(watched, planting, engine_of) -> None:
    db, mutex = Connected(engine_of("db")), Mutex("m")
    outcome = planting.plant(("thread", "thread"), [(mutex, db), (db, mutex)])
    assert len(outcome.refused) == 1
    assert {wait.resource for wait in outcome.refused[0][1].cycle} == {"db", "m"}


def test_what_is_wrong_is_not_hidden_in_a_database_error(watched, engine_of) -> None:
    engine = engine_of("db")
    with engine.connect(), pytest.raises(Deadlock) as caught:
        engine.connect()
    assert not isinstance(caught.value, exc.SQLAlchemyError)


def until_one_waits(engine) -> None:
    pause = threading.Event()
    while not engine.pool.statistics().waiters:
        pause.wait(0.005)


def test_who_left_a_connection_to_be_given_back_by_others_is_not_its_holder_in_later_work(watched, engine_of) -> None:
    # A web framework runs each call in a worker's thread with a context of its own, and may close in another thread.
    engine, left = engine_of("db"), []
    with ThreadPoolExecutor(1) as worker:
        run = contextvars.copy_context().run
        worker.submit(run, lambda: left.append(engine.connect())).result(20)
        later = worker.submit(contextvars.copy_context().run, engine.connect)
        until_one_waits(engine)
        left[0].close()
        later.result(20).close()
    assert engine.pool.statistics().free == 1


def test_but_it_is_in_the_same_work(watched, engine_of) -> None:
    engine = engine_of("db")

    def take_twice() -> None:
        with engine.connect(), engine.connect():
            pass

    with ThreadPoolExecutor(1) as worker, pytest.raises(Deadlock):
        worker.submit(contextvars.copy_context().run, take_twice).result(20)


def test_a_pool_whose_connections_are_handed_on_says_so(watched, engine_of) -> None:
    class HandedOn(SeawallPool):
        has_holders = False

    engine = engine_of("db", poolclass=HandedOn)
    taken = engine.connect()

    def give_back() -> None:
        until_one_waits(engine)
        taken.close()

    other = threading.Thread(target=give_back)
    other.start()
    engine.connect().close()
    other.join()
    assert engine.pool.statistics().free == 1


def test_given_back_by_another_thread_is_given_back(watched, engine_of) -> None:
    engine = engine_of("db")
    taken = engine.connect()
    other = threading.Thread(target=taken.close)
    other.start()
    other.join()
    with engine.connect():
        assert engine.pool.statistics().holders == ("thread MainThread",)
    assert engine.pool.statistics().holders == ()


@pytest.fixture
def async_url(postgres, postgres_database) -> str:
    return postgres.url(postgres_database, driver="+psycopg")


@pytest.mark.parametrize("kinds", list(itertools.combinations_with_replacement(("mutex", "db"), 2)))
def test_tasks_are_part_of_it(watched, async_url, kinds) -> None:
    async def main() -> None:
        engine = create_async_engine(async_url, poolclass=AsyncSeawallPool, pool_size=1, max_overflow=0)
        mutex = Mutex("m")
        refused, both = [], asyncio.Barrier(2)
        other = create_async_engine(async_url, poolclass=AsyncSeawallPool, pool_size=1, max_overflow=0)
        first = {"mutex": lambda: mutex, "db": engine.connect}[kinds[0]]
        second = {"mutex": lambda: mutex, "db": engine.connect}[kinds[1]]
        if kinds[0] == kinds[1]:
            second = other.connect

        async def enter(one, then) -> None:
            try:
                async with one():
                    await both.wait()
                    async with then():
                        pass
            except Deadlock as error:
                refused.append(error)

        await asyncio.wait_for(asyncio.gather(enter(first, second), enter(second, first)), 20)
        assert len(refused) == 1
        assert len(refused[0].cycle) == 2
        assert engine.pool.statistics().free == other.pool.statistics().free == 1
        await engine.dispose()
        await other.dispose()

    asyncio.run(main())


def test_tasks_wait_for_a_connection_without_stopping_their_loop_and_in_time(watched, async_url) -> None:
    async def main() -> None:
        engine = create_async_engine(
            async_url, poolclass=AsyncSeawallPool, pool_size=1, max_overflow=0, pool_timeout=0.01
        )

        async def connect() -> None:
            async with engine.connect():
                pass

        async with engine.connect() as connection:
            with pytest.raises(exc.TimeoutError, match="of 1"):
                await asyncio.shield(connect())  # unshielded it would be a deadlock of this task and that one
            assert (await connection.execute(text("SELECT 7"))).scalar() == 7
        await connect()
        await engine.dispose()

    asyncio.run(main())
