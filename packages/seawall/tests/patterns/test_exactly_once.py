"""docs/patterns/exactly-once.md: a message comes again, or never, and its effect has to be there once."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

MESSAGES = [(1, 50), (2, 20), (3, 30)]  # an id given by the sender, and what it pays in
TOTAL = 100

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (balance INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS progress (position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, answer INTEGER NOT NULL);
INSERT INTO account SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM account);
INSERT INTO progress SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM progress);
"""


class Crash(BaseException):
    """The process ends here: no handler runs, and what was not committed is gone."""


class KillPoints:
    """Counts the steps of a run, and ends the process before the step of the given number (from 1)."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise Crash


class RealKillPoints(KillPoints):
    """As kill -9 does it."""

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def opened(path: Path) -> sqlite3.Connection:
    """Transactions are begun and committed by hand."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(SCHEMA)
    return connection


def number(connection: sqlite3.Connection, query: str) -> int:
    (value,) = connection.execute(query).fetchone()
    assert isinstance(value, int)
    return value


def pay_in(connection: sqlite3.Connection, amount: int) -> None:
    connection.execute("UPDATE account SET balance = balance + ?", (amount,))


def effect_then_position(connection: sqlite3.Connection, kill: KillPoints) -> None:
    """At least once: two commits, the effect first."""
    for message, amount in MESSAGES:
        if message > number(connection, "SELECT position FROM progress"):
            kill.step()
            pay_in(connection, amount)
            kill.step()
            connection.execute("UPDATE progress SET position = ?", (message,))


def position_then_effect(connection: sqlite3.Connection, kill: KillPoints) -> None:
    """At most once: two commits, the position first."""
    for message, amount in MESSAGES:
        if message > number(connection, "SELECT position FROM progress"):
            kill.step()
            connection.execute("UPDATE progress SET position = ?", (message,))
            kill.step()
            pay_in(connection, amount)


def together(connection: sqlite3.Connection, kill: KillPoints) -> None:
    """The effect and the position in one transaction: both, or neither."""
    for message, amount in MESSAGES:
        kill.step()
        connection.execute("BEGIN IMMEDIATE")
        if message > number(connection, "SELECT position FROM progress"):
            kill.step()
            pay_in(connection, amount)
            kill.step()
            connection.execute("UPDATE progress SET position = ?", (message,))
        kill.step()
        connection.execute("COMMIT")


Consumer = Callable[[sqlite3.Connection, KillPoints], None]


def balance_after_a_crash(path: Path, consume: Consumer, *crashes: int) -> int:
    """Runs until each crash, then once more to the end, as a supervisor would; what the account has then."""
    for at in (*crashes, None):
        with closing(opened(path)) as connection:  # closing rolls back what is open, as the end of a process does
            try:
                consume(connection, KillPoints(at))
            except Crash:
                continue
    with closing(opened(path)) as connection:
        return number(connection, "SELECT balance FROM account")


def steps_of(path: Path, consume: Consumer) -> int:
    kill = KillPoints()
    with closing(opened(path)) as connection:
        consume(connection, kill)
    return kill.count


def test_trap_killed_between_the_effect_and_the_position_it_is_done_twice(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "whole", effect_then_position)
    ends = [balance_after_a_crash(tmp_path / str(at), effect_then_position, at) for at in range(1, steps + 1)]
    assert ends == [TOTAL, TOTAL + 50, TOTAL, TOTAL + 20, TOTAL, TOTAL + 30]


def test_trap_the_other_way_round_it_is_not_done_at_all(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "whole", position_then_effect)
    ends = [balance_after_a_crash(tmp_path / str(at), position_then_effect, at) for at in range(1, steps + 1)]
    assert ends == [TOTAL, TOTAL - 50, TOTAL, TOTAL - 20, TOTAL, TOTAL - 30]


def test_fix_in_one_transaction_it_is_done_once_wherever_the_process_is_killed(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "whole", together)
    for at in range(1, steps + 1):
        assert balance_after_a_crash(tmp_path / str(at), together, at) == TOTAL, f"killed before step {at} of {steps}"


def test_fix_however_often_it_is_killed_on_the_way(tmp_path: Path) -> None:
    for crashes in product(range(1, 6), repeat=3):
        name = "-".join(map(str, crashes))
        assert balance_after_a_crash(tmp_path / name, together, *crashes) == TOTAL


PROGRAM = """
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])
import test_exactly_once as t
getattr(t, sys.argv[2])(t.opened(Path(sys.argv[3])), t.RealKillPoints(int(sys.argv[4])))
"""


def balance_after_kill_9(path: Path, consume: Consumer, at: int) -> int:
    arguments = [str(Path(__file__).parent), consume.__name__, str(path), str(at)]
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], timeout=120, check=False)
    assert ran.returncode == -signal.SIGKILL
    return balance_after_a_crash(path, consume)


def test_trap_so_it_is_with_a_process_that_is_really_killed(tmp_path: Path) -> None:
    assert balance_after_kill_9(tmp_path / "db", effect_then_position, at=2) == TOTAL + 50


@pytest.mark.parametrize("at", [3, 4])  # between the effect and the position; before the commit
def test_fix_so_it_is_with_a_process_that_is_really_killed(tmp_path: Path, at: int) -> None:
    assert balance_after_kill_9(tmp_path / "db", together, at) == TOTAL


def naive_answer(connection: sqlite3.Connection, key: int, amount: int) -> int:
    """Pays in and tells the balance, whoever asks and how often."""
    pay_in(connection, amount)
    return number(connection, "SELECT balance FROM account")


def answer(connection: sqlite3.Connection, key: int, amount: int) -> int:
    """Pays in once for each key; whoever asks again gets the first answer."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        known = connection.execute("SELECT answer FROM seen WHERE id = ?", (key,)).fetchone()
        if known is None:
            pay_in(connection, amount)
            known = (number(connection, "SELECT balance FROM account"),)
            connection.execute("INSERT INTO seen VALUES (?, ?)", (key, *known))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    assert isinstance(known[0], int)
    return known[0]


def test_trap_a_client_whose_answer_was_lost_asks_again_and_pays_twice() -> None:
    with closing(opened(Path(":memory:"))) as connection:
        assert [naive_answer(connection, 7, 50) for _ in range(2)] == [50, 100]


def test_fix_with_a_key_the_second_request_gets_the_first_ones_answer() -> None:
    with closing(opened(Path(":memory:"))) as connection:
        assert [answer(connection, key, 50) for key in (7, 8, 7)] == [50, 100, 50]
        assert number(connection, "SELECT balance FROM account") == 100


@given(st.lists(st.integers(0, 5), max_size=30))
@settings(max_examples=50, deadline=None)
def test_fix_in_whatever_order_and_however_often_keys_come_each_has_one_effect(keys: list[int]) -> None:
    with closing(opened(Path(":memory:"))) as connection:
        answers: dict[int, set[int]] = {}
        for key in keys:
            answers.setdefault(key, set()).add(answer(connection, key, 10))
        assert number(connection, "SELECT balance FROM account") == 10 * len(set(keys))
        assert all(len(told) == 1 for told in answers.values())


def test_trap_a_highest_position_drops_what_comes_out_of_order_and_a_key_does_not() -> None:
    with closing(opened(Path(":memory:"))) as connection:
        position = 0
        for message, amount in reversed(MESSAGES):
            if message > position:
                pay_in(connection, amount)
                position = message
        assert number(connection, "SELECT balance FROM account") == 30
    with closing(opened(Path(":memory:"))) as connection:
        for message, amount in reversed(MESSAGES):
            answer(connection, message, amount)
        assert number(connection, "SELECT balance FROM account") == TOTAL


def test_trap_an_effect_outside_the_transaction_is_not_undone_with_it(tmp_path: Path) -> None:
    mails: list[int] = []

    def with_mail(connection: sqlite3.Connection, kill: KillPoints) -> None:
        connection.execute("BEGIN IMMEDIATE")
        if number(connection, "SELECT position FROM progress") < 1:
            mails.append(1)
            connection.execute("UPDATE progress SET position = 1")
        kill.step()
        connection.execute("COMMIT")

    with closing(opened(tmp_path / "db")) as connection, pytest.raises(Crash):
        with_mail(connection, KillPoints(1))
    with closing(opened(tmp_path / "db")) as connection:
        with_mail(connection, KillPoints())
    assert mails == [1, 1]
