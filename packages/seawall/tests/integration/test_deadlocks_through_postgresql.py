"""Locks of a real PostgreSQL as part of a deadlock: found, broken and named; and what is none, though it looks like one."""

import asyncio
import contextlib
import itertools
import pickle
import random
import threading

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import create_engine, exc, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from seawall import Deadlock, DeadlockFound, Misuse, Mutex, add_observer, configure, remove_observer, snapshot
from seawall.integrations.postgresql import DatabaseDeadlock, watch_postgresql
from seawall.integrations.postgresql.backends import BACKENDS, Backend, Server
from seawall.integrations.sqlalchemy import SeawallPool
from seawall.observe.waits import WAITS
from seawall.runtime.who import get_ident, running_loop

ROW = "UPDATE counters SET n = n + 1 WHERE id = {}"
ADVISORY = "SELECT pg_advisory_xact_lock({})"
TABLE = "LOCK TABLE table_{} IN ACCESS EXCLUSIVE MODE"


class Locked:
    """A lock of the database, to be entered by threads and by tasks, each in a transaction of its own.

    Those made with one `inside` are held by one transaction of each thread or task: what the database sees whole.
    """

    def __init__(self, engines, statement: str, number: int, inside=None) -> None:
        self.threads_engine, self.tasks_engine = engines
        self.statement = text(statement.format(number))
        self.inside = {} if inside is None else inside

    def __enter__(self) -> None:
        held = self.inside.setdefault(get_ident(), [])
        held.append(held[-1] if held else self.threads_engine.connect())
        try:
            held[-1].execute(self.statement)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error) -> None:
        connection = self.inside[get_ident()].pop()
        if not self.inside[get_ident()]:
            connection.close()

    async def __aenter__(self) -> None:
        held = self.inside.setdefault(asyncio.current_task(), [])
        held.append(held[-1] if held else await self.tasks_engine.connect())
        try:
            await held[-1].execute(self.statement)
        except BaseException:
            await self.__aexit__()
            raise

    async def __aexit__(self, *error) -> None:
        connection = self.inside[asyncio.current_task()].pop()
        if not self.inside[asyncio.current_task()]:
            await connection.close()


@pytest.fixture
def url(postgres, postgres_database) -> str:
    with psycopg.connect(postgres.url(postgres_database)) as connection:
        connection.execute("CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL)")
        connection.execute("INSERT INTO counters SELECT id, 0 FROM generate_series(0, 9) id")
        for number in range(5):
            connection.execute(f"CREATE TABLE table_{number} ()")
    return postgres.url(postgres_database, driver="+psycopg")


@pytest.fixture
def engine(watched, url):
    made = create_engine(url, poolclass=SeawallPool, pool_size=10, pool_logging_name="pool")
    watch = watch_postgresql(made, name="db")
    yield made
    made.dispose()
    watch.stop(30)
    assert (watch.failures_total, watch.last_error) == (0, None)
    assert WAITS.now() == ()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seawall-postgresql")]


@pytest.fixture
def engines(engine, url):
    # A connection belongs to its loop, and each planted deadlock has a loop of its own.
    for_tasks = create_async_engine(url, poolclass=NullPool)
    watch = watch_postgresql(for_tasks, name="db")
    yield engine, for_tasks
    watch.stop(30)
    assert (watch.failures_total, watch.last_error) == (0, None)


MIXED = [k for n in range(2, 6) for k in itertools.combinations_with_replacement(("thread", "task"), n)]


@pytest.mark.parametrize("kinds", MIXED, ids="-".join)
def test_a_ring_of_row_locks_and_a_mutex_which_no_database_can_see_is_broken(planting, engines, kinds) -> None:
    ring = [Mutex("m"), *(Locked(engines, ROW, number) for number in range(len(kinds) - 1))]
    outcome = planting.plant(kinds, [(ring[n], ring[(n + 1) % len(ring)]) for n in range(len(ring))])
    assert (len(outcome.refused), len(outcome.through)) == (1, len(kinds) - 1)
    error = outcome.refused[0][1]
    assert isinstance(error, DatabaseDeadlock)
    assert error.orig.sqlstate == "57014"
    assert len(error.cycle) == len(kinds)
    assert {wait.resource for wait in error.cycle} == {"m", "PostgreSQL db: row lock"}


@pytest.mark.parametrize(
    ("statement", "name"), [(ADVISORY, "advisory lock 0"), (TABLE, "relation lock of table_0"), (ROW, "row lock")]
)
def test_the_error_names_the_lock_both_owners_and_both_stacks(planting, engines, statement, name) -> None:
    mutex, lock = Mutex("m"), Locked(engines, statement, 0)
    outcome = planting.plant(("thread", "task"), [(mutex, lock), (lock, mutex)])
    ((who, error),) = outcome.refused
    first, second = error.cycle
    assert (who, first.waiter, first.resource) == ("thread 0", "thread thread 0", f"PostgreSQL db: {name}")
    assert (second.waiter, second.resource) == ("task task 1", "m")
    assert (first.holders, second.holders) == ((second.waiter,), (first.waiter,))
    for wait, function in ((first, "in in_thread"), (second, "in in_task")):
        assert any(function in line for line in wait.waiter_stack)
        assert wait.resource in str(error)
    assert error.cycle == pickle.loads(pickle.dumps(error)).cycle


@pytest.mark.parametrize("statement", [ROW, ADVISORY, TABLE])
@pytest.mark.parametrize("kinds", [("thread", "thread"), ("thread", "task"), ("task",) * 3])
def test_what_the_database_breaks_itself_names_threads_and_stacks_too(planting, engines, statement, kinds) -> None:
    inside = {}
    ring = [Locked(engines, statement, number, inside) for number in range(len(kinds))]
    outcome = planting.plant(kinds, [(ring[n], ring[(n + 1) % len(ring)]) for n in range(len(ring))])
    assert (len(outcome.refused), len(outcome.through)) == (1, len(kinds) - 1)
    who, error = outcome.refused[0]
    assert error.orig.sqlstate == "40P01"
    assert isinstance(error, exc.OperationalError)
    assert len(error.cycle) == len(kinds)
    assert error.cycle[0].waiter.endswith(who)
    assert all(any("in in_t" in line for line in wait.waiter_stack) for wait in error.cycle)


@pytest.fixture
def hasty(watched, url):
    """An engine whose database breaks deadlocks before the lookout looks; and `told`, to be set to hear of each first."""
    made = create_engine(url, poolclass=SeawallPool, connect_args={"options": "-c deadlock_timeout=1ms"})
    told = []

    def tell(context) -> None:
        for hear in told:
            hear()

    sqlalchemy.event.listen(made, "handle_error", tell)
    watch = watch_postgresql(made, name="db", after_s=60)
    yield made, told
    made.dispose()
    watch.stop(30)


@pytest.mark.parametrize("winner_is_gone", [False, True])
def test_one_that_is_broken_before_anybody_looked_is_named_from_what_the_database_says(
    planting, hasty, winner_is_gone
) -> None:
    made, told = hasty
    if winner_is_gone:  # and has given its connection back, when the other one hears of the deadlock
        told.append(lambda: until(lambda: made.pool.checkedin() == 1))
    inside = {}
    locks = [Locked((made, None), ROW, number, inside) for number in range(2)]
    outcome = planting.plant(("thread", "thread"), [(locks[0], locks[1]), (locks[1], locks[0])])
    ((who, error),) = outcome.refused
    assert error.cycle[0].waiter == f"thread {who}"
    assert {wait.waiter for wait in error.cycle} == {"thread thread 0", "thread thread 1"}
    assert all(wait.resource.startswith("PostgreSQL db: ShareLock on transaction") for wait in error.cycle)


@pytest.mark.parametrize("kinds", [("thread", "thread"), ("thread", "task", "task")])
def test_a_ring_that_is_closed_by_those_who_have_two_transactions_each(planting, engines, kinds) -> None:
    # The database sees a transaction that waits for one that is idle, and no more.
    ring = [Locked(engines, ROW, number) for number in range(len(kinds))]
    outcome = planting.plant(kinds, [(ring[n], ring[(n + 1) % len(ring)]) for n in range(len(ring))])
    assert (len(outcome.refused), len(outcome.through)) == (1, len(kinds) - 1)
    assert outcome.refused[0][1].orig.sqlstate == "57014"


def test_a_thread_that_waits_for_a_row_which_its_own_other_transaction_holds(engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        first.execute(text(ROW.format(1)))
        with pytest.raises(DatabaseDeadlock) as caught:
            second.execute(text(ROW.format(1)))
    (wait,) = caught.value.cycle
    assert wait.holders == (wait.waiter,)


def test_through_a_pool_of_connections_and_a_row(planting, watched, url) -> None:
    # One has the row and wants the only connection of the small pool; whoever has that wants the row.
    small = create_engine(url, poolclass=SeawallPool, pool_size=1, max_overflow=0, pool_logging_name="small")
    large = create_engine(url, poolclass=SeawallPool, pool_logging_name="large")
    watches = [watch_postgresql(engine, name="db") for engine in (small, large)]
    row, connection = Locked((large, None), ROW, 1), Locked((small, None), "SELECT {}", 1)
    outcome = planting.plant(("thread", "thread"), [(row, connection), (connection, row)])
    assert (len(outcome.refused), len(outcome.through)) == (1, 1)
    assert {wait.resource for wait in outcome.refused[0][1].cycle} == {"small", "PostgreSQL db: row lock"}
    for engine, watch in zip((small, large), watches, strict=True):
        engine.dispose()
        watch.stop(30)


def test_a_loop_that_a_statement_blocks_is_part_of_the_ring(planting, engine) -> None:
    mutex, held, refused = Mutex("m"), threading.Barrier(2), []

    async def main() -> None:
        go_on = asyncio.Event()

        async def hold() -> None:
            async with mutex:
                await go_on.wait()

        holder = asyncio.create_task(hold(), name="holder")
        await asyncio.sleep(0)
        held.wait(planting.PATIENCE_S)
        try:
            with engine.begin() as connection:  # a blocking call on a loop's thread
                connection.execute(text(ROW.format(1)))
        except Deadlock as error:
            refused.append(error)
        go_on.set()
        await holder

    def hold_row() -> None:
        with engine.begin() as connection:
            connection.execute(text(ROW.format(1)))
            held.wait(planting.PATIENCE_S)
            with mutex:
                pass

    planting.run_all([("loop", lambda: asyncio.run(main())), ("thread", hold_row)])
    assert running_loop() is None
    (error,) = refused
    assert {wait.resource for wait in error.cycle} == {"m", "its event loop", "PostgreSQL db: row lock"}


def until(is_so) -> None:
    pause = threading.Event()
    for _ in range(4000):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to be so")


def test_a_blocker_in_another_process_is_named_and_is_no_edge(engine, url) -> None:
    done = []

    def update() -> None:
        with engine.begin() as connection:
            done.append(connection.execute(text(ROW.format(1))).rowcount)

    stranger = psycopg.connect(url.replace("+psycopg", ""), application_name="a batch job")
    stranger.execute(ROW.format(1))
    waiter = threading.Thread(target=update, name="waiter")
    waiter.start()
    until(lambda: snapshot().waits)
    (wait,) = snapshot().waits
    assert (wait.resource, wait.waiter) == ("PostgreSQL db: row lock", "thread waiter")
    assert wait.holders == (f"PostgreSQL process {stranger.info.backend_pid} (a batch job)",)
    stranger.rollback()
    waiter.join(20)
    stranger.close()
    assert done == [1]


def test_long_statements_and_long_waits_that_end_are_no_deadlock(engine) -> None:
    # Each waits for the other's kind of lock in turn, never both at once, and long enough to be looked at.
    mutex, seen = Mutex("m"), []
    add_observer(seen.append)

    def work(number: int) -> None:
        for _ in range(3):
            with engine.begin() as connection:
                connection.execute(text(ROW.format(number % 2)))
                connection.execute(text("SELECT pg_sleep(0.15)"))
            with mutex, engine.begin() as connection:
                connection.execute(text(ROW.format(number % 2)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    remove_observer(seen.append)
    assert not any(isinstance(event, DeadlockFound) for event in seen)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT sum(n) FROM counters")).scalar() == 24


def test_to_report_is_to_tell_observers_once_and_to_cancel_nothing(planting, engine) -> None:
    configure(on_deadlock="report")
    mutex, both, results = Mutex("m"), threading.Barrier(2), []

    def observe(event) -> None:
        if isinstance(event, DeadlockFound):
            results.append(event)

    def mutex_then_row() -> None:
        with mutex, engine.begin() as connection:
            both.wait(20)
            connection.execute(text(ROW.format(1)))

    def row_then_mutex() -> None:
        with engine.begin() as connection:
            connection.execute(text(ROW.format(1)))
            both.wait(20)
            try:
                mutex.acquire(timeout_s=2)
            except TimeoutError:
                results.append("late")

    add_observer(observe)
    planting.run_all([("a", mutex_then_row), ("b", row_then_mutex)])
    remove_observer(observe)
    first, second = results
    assert isinstance(first, DeadlockFound)
    assert not first.was_raised
    assert second == "late"


def test_where_it_is_off_the_databases_own_error_is_left_alone(planting, engines) -> None:
    configure(on_deadlock="off")
    refused, both = [], threading.Barrier(2)

    def work(first: int, then: int) -> None:
        try:
            with engines[0].begin() as connection:
                connection.execute(text(ROW.format(first)))
                both.wait(20)
                connection.execute(text(ROW.format(then)))
        except exc.OperationalError as error:
            refused.append(error)

    planting.run_all([("a", lambda: work(1, 2)), ("b", lambda: work(2, 1))])
    (error,) = refused
    assert not isinstance(error, Deadlock)


def test_the_same_process_id_on_another_server_is_another_backend() -> None:
    here = Backend(Server("here"), 17, "db", None)
    BACKENDS.add(here)
    assert BACKENDS.find(Server("there"), 17) is None
    assert BACKENDS.find(Server("here"), 17) is here
    BACKENDS.remove(here)
    assert BACKENDS.find(Server("here"), 17) is None


def test_a_closed_connection_is_forgotten_and_a_disposed_engine_is_watched_on(planting, engine) -> None:
    with engine.connect() as connection:
        pid = connection.connection.driver_connection.info.backend_pid
        server = next(backend.server for backend in [connection.info["seawall.backend"]])
        assert BACKENDS.find(server, pid) is not None
        connection.invalidate()
        assert BACKENDS.find(server, pid) is None
    engine.dispose()
    mutex, row = Mutex("m"), Locked((engine, None), ROW, 1)
    outcome = planting.plant(("thread", "thread"), [(mutex, row), (row, mutex)])
    assert len(outcome.refused) == 1


def test_no_thread_and_no_connection_is_left(watched, postgres, url) -> None:
    def count() -> int:
        with psycopg.connect(postgres.url()) as connection:
            return connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'seawall lookout'"
            ).fetchone()[0]

    for _ in range(5):
        engine = create_engine(url, poolclass=SeawallPool)
        watch = watch_postgresql(engine)
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(0.3)"))
        assert watch.asks_total
        engine.dispose()
        watch.stop(30)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seawall-postgresql")]
    until(lambda: count() == 0)


def test_the_thread_ends_by_itself_once_the_engine_is_disposed_of(watched, url) -> None:
    engine = create_engine(url, poolclass=SeawallPool)
    watch_postgresql(engine, name="left alone")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    until(lambda: "seawall-postgresql-left alone" not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize("wrong", [{"url": "sqlite://"}, {"url": "postgresql+psycopg://", "after_s": 0}])
def test_what_cannot_be_watched_is_refused(wrong) -> None:
    engine = sqlalchemy.create_engine(wrong.pop("url"))
    with pytest.raises(Misuse):
        watch_postgresql(engine, **wrong)


@pytest.mark.parametrize("rounds", [10, pytest.param(300, marks=pytest.mark.soak)])
def test_random_legal_work_over_mutexes_connections_and_rows_is_no_deadlock(planting, engines, rounds) -> None:
    # Mutexes first, then at most one connection each, then rows in rising order; half the statements are slow.
    mutexes, found = [Mutex(f"m{number}") for number in range(3)], []
    for_threads, for_tasks = engines

    def observe(event) -> None:
        if isinstance(event, DeadlockFound):
            found.append(event)

    def plan(dice: random.Random) -> tuple[list[Mutex], list[sqlalchemy.TextClause]]:
        statements = [text(ROW.format(row)) for row in sorted(dice.sample(range(4), 2))]
        if dice.random() < 0.5:
            statements.insert(dice.randrange(3), text(f"SELECT pg_sleep({dice.uniform(0.05, 0.2)})"))
        return [mutex for mutex in mutexes if dice.random() < 0.3], statements

    def in_thread(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(rounds):
            inside, statements = plan(dice)
            with contextlib.ExitStack() as held:
                for mutex in inside:
                    held.enter_context(mutex)
                with for_threads.begin() as connection:
                    for statement in statements:
                        connection.execute(statement)

    async def in_task(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(rounds):
            inside, statements = plan(dice)
            async with contextlib.AsyncExitStack() as held:
                for mutex in inside:
                    await held.enter_async_context(mutex)
                async with for_tasks.begin() as connection:
                    for statement in statements:
                        await connection.execute(statement)

    async def in_tasks() -> None:
        await asyncio.gather(*[in_task(seed) for seed in range(10, 13)])

    add_observer(observe)
    threads = [threading.Thread(target=in_thread, args=(seed,)) for seed in range(4)]
    threads.append(threading.Thread(target=lambda: asyncio.run(in_tasks())))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(rounds * planting.PATIENCE_S)
    remove_observer(observe)
    assert not [thread for thread in threads if thread.is_alive()]
    assert found == []
    with for_threads.connect() as connection:
        assert connection.execute(text("SELECT sum(n) FROM counters")).scalar() == 7 * rounds * 2
