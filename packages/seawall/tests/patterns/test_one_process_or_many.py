"""The handbook's page docs/patterns/one-process-or-many.md: the trap, and the fixes. The processes are real ones."""

import sqlite3
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest

# Each process counts one up, under a mutex of the same name. It says what it has read, and writes once it is told to.
SQLITE = """
import sqlite3, sys
from seawall import Mutex

counter = Mutex("counter")
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)

def read():
    value = database.execute("SELECT n FROM counters").fetchone()[0]
    print(value, flush=True)
    sys.stdin.readline()
    return value

"""
MUTEX_ALONE = """
with counter:
    database.execute("UPDATE counters SET n = ?", (read() + 1,))
"""
IN_ONE_STEP = """
read()
database.execute("UPDATE counters SET n = n + 1")
"""
LOCKED_BY_THE_DATABASE = """
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE counters SET n = ?", (read() + 1,))
database.execute("COMMIT")
"""
LOCKED_BY_POSTGRESQL = """
import sys, psycopg
from seawall import Mutex

counter = Mutex("counter")
with counter, psycopg.connect(sys.argv[1]) as database:
    database.execute("SELECT pg_advisory_xact_lock(hashtext('counter'))")
    value = database.execute("SELECT n FROM counters").fetchone()[0]
    print(value, flush=True)
    sys.stdin.readline()
    database.execute("UPDATE counters SET n = %s", (value + 1,))
"""


@contextmanager
def process(program: str, database: str):
    child = subprocess.Popen(
        [sys.executable, "-c", program, database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        child.stdin.close()
        assert child.wait(60) == 0
        child.stdout.close()


def what_it_read(child) -> int:
    return int(child.stdout.readline())


def let_it_write(child) -> None:
    child.stdin.write("\n")
    child.stdin.flush()


@pytest.fixture
def database(tmp_path):
    path = str(tmp_path / "counters.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE counters (n INTEGER NOT NULL)")
        connection.execute("INSERT INTO counters VALUES (0)")
    connection.close()
    return path


def counted(path: str) -> int:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT n FROM counters").fetchone()[0]
    finally:
        connection.close()


def test_trap_two_processes_with_a_mutex_each_lose_an_update(database) -> None:
    with ExitStack() as both:
        children = [both.enter_context(process(SQLITE + MUTEX_ALONE, database)) for _ in range(2)]
        assert [what_it_read(child) for child in children] == [0, 0]  # both are inside `with counter:`
        for child in children:
            let_it_write(child)
    assert counted(database) == 1


def test_fix_what_the_database_does_in_one_step_needs_no_lock_of_ours(database) -> None:
    with ExitStack() as both:
        children = [both.enter_context(process(SQLITE + IN_ONE_STEP, database)) for _ in range(2)]
        assert [what_it_read(child) for child in children] == [0, 0]
        for child in children:
            let_it_write(child)
    assert counted(database) == 2


def test_fix_a_lock_of_the_database_holds_processes_apart(database) -> None:
    with process(SQLITE + LOCKED_BY_THE_DATABASE, database) as first:
        assert what_it_read(first) == 0
        with process(SQLITE + LOCKED_BY_THE_DATABASE, database) as second:
            let_it_write(first)
            assert what_it_read(second) == 1  # it could read only when the first had written
            let_it_write(second)
    assert counted(database) == 2


def test_fix_an_advisory_lock_of_postgresql_does_so_over_machines(postgres, postgres_database) -> None:
    import psycopg

    url = postgres.url(postgres_database)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE counters (n int NOT NULL)")
        connection.execute("INSERT INTO counters VALUES (0)")
    with process(LOCKED_BY_POSTGRESQL, url) as first:
        assert what_it_read(first) == 0
        with process(LOCKED_BY_POSTGRESQL, url) as second:
            let_it_write(first)
            assert what_it_read(second) == 1
            let_it_write(second)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM counters").fetchone() == (2,)
