import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy
from sqlalchemy import create_engine, exc, text

from seawall import DeadlineExceeded, ThreadPool, deadline, snapshot
from seawall.integrations.sqlalchemy import SeawallPool


@pytest.fixture
def engine(tmp_path):
    made = create_engine(
        f"sqlite:///{tmp_path}/db.sqlite", poolclass=SeawallPool, pool_size=1, max_overflow=1, pool_logging_name="db"
    )
    yield made
    made.dispose()


def test_connections_are_reused_and_bounded_and_shown(engine: sqlalchemy.Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        assert first.execute(text("SELECT 1")).scalar() == 1
        assert second.execute(text("SELECT 1")).scalar() == 1
        (shown,) = [s for s in snapshot().semaphores if s.name == "db"]
        assert (shown.permits, shown.free) == (2, 0)
        assert shown.holders == ("thread MainThread",) * 2

        def connect_in_time() -> None:
            with deadline(0.01):
                engine.connect()

        with ThreadPoolExecutor(1) as other, pytest.raises(exc.TimeoutError, match="of 2") as caught:
            other.submit(connect_in_time).result(30)
        assert isinstance(caught.value.__cause__, DeadlineExceeded)
    assert engine.pool.status() == "Pool size: 1  out: 0  idle: 1"


def test_a_connection_that_cannot_be_made_gives_its_place_back() -> None:
    def refuse():
        raise OSError("refused")

    engine = create_engine("sqlite://", creator=refuse, poolclass=SeawallPool, pool_size=1, max_overflow=0)
    for _ in range(3):
        with pytest.raises(OSError, match="refused"):
            engine.connect()
    assert engine.pool.statistics().free == 1


def test_threads_that_wait_for_a_connection_are_seen_as_blocked(engine: sqlalchemy.Engine) -> None:
    go_on = threading.Event()

    def query() -> int:
        with engine.connect() as connection:
            assert go_on.wait(30)
            return connection.execute(text("SELECT 7")).scalar()

    with ThreadPool("handlers", max_threads=5) as pool:
        futures = [pool.submit(query) for _ in range(5)]
        pause = threading.Event()
        for _ in range(6000):
            if pool.statistics().blocked == 3:
                break
            pause.wait(0.005)
        assert pool.statistics().blocked == 3  # two have connections, three wait for one
        assert len(engine.pool.statistics().waiters) == 3
        go_on.set()
        assert [future.result(30) for future in futures] == [7] * 5


def test_a_broken_connection_is_replaced_and_a_disposed_engine_goes_on(engine: sqlalchemy.Engine) -> None:
    with engine.connect() as connection:
        connection.invalidate()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert engine.pool.statistics().free == 2


def test_a_pool_without_a_limit_is_refused() -> None:
    with pytest.raises(exc.ArgumentError, match="bounded"):
        create_engine("sqlite://", poolclass=SeawallPool, pool_size=0, max_overflow=0)


def test_the_figures_that_monitoring_reads_are_those_of_the_queue_pool(tmp_path) -> None:
    url, seen = f"sqlite:///{tmp_path}/db.sqlite", {}
    for kind in (SeawallPool, sqlalchemy.pool.QueuePool):
        engine = create_engine(url, poolclass=kind, pool_size=2, max_overflow=3)
        figures = seen[kind] = []

        def look(pool=engine.pool, figures=figures) -> None:
            figures.append((pool.size(), pool.checkedin(), pool.checkedout(), pool.overflow()))

        look()
        with engine.connect(), engine.connect(), engine.connect():
            look()
        look()
        engine.dispose()
    assert seen[SeawallPool] == seen[sqlalchemy.pool.QueuePool] == [(2, 0, 0, -2), (2, 0, 3, 1), (2, 2, 0, 0)]
