"""docs/patterns/drain-and-shutdown.md: a deploy loses what was acknowledged, and those who were being served."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seawall import Batcher, Closed, Fixed, Gate, Workload

WITHIN_S = 60  # for what does come; on a busy machine it may take a while


class Process:
    """A server of its own, told to end by the signal that a deploy sends."""

    def __init__(self, journal: Path, *drain_s: str) -> None:
        program = Path(__file__).with_name("draining_server.py")
        self.journal = journal
        self.popen = subprocess.Popen(
            [sys.executable, str(program), str(journal), *drain_s], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.said())

    def said(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()

    def terminate(self) -> None:
        self.popen.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        return self.popen.wait(WITHIN_S)

    def kept(self) -> list[str]:
        return self.journal.read_text(encoding="utf-8").split()


class Client:
    """One connection, a line at a time."""

    def __init__(self, process: Process) -> None:
        self.socket = socket.create_connection(("127.0.0.1", process.port), timeout=WITHIN_S)
        self.lines = self.socket.makefile("rb")

    def say(self, line: str) -> None:
        self.socket.sendall(f"{line}\n".encode())

    def hear(self) -> str:
        """The next line, or "" where the server has hung up."""
        try:
            return self.lines.readline().decode().strip()
        except ConnectionError:
            return ""

    def ask(self, line: str) -> str:
        self.say(line)
        return self.hear()

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


@contextmanager
def process(journal: Path, *drain_s: str) -> Iterator[tuple[Process, Client, Client]]:
    """The server and two clients that are connected to it."""
    server = Process(journal, *drain_s)
    try:
        if drain_s:
            assert server.said() == "serving"
        clients = Client(server), Client(server)
        yield (server, *clients)
        for client in clients:
            client.close()
    finally:
        server.popen.kill()
        server.popen.wait(WITHIN_S)
        assert server.popen.stdout is not None
        server.popen.stdout.close()


def test_trap_what_was_acknowledged_is_gone_and_who_was_being_served_hears_nothing(tmp_path: Path) -> None:
    with process(tmp_path / "journal") as (server, anna, bert):
        assert [anna.ask(f"put {number}") for number in range(10)] == ["ok"] * 10
        assert bert.ask("slow 10") == "begun"
        server.terminate()
        assert server.ended() == -signal.SIGTERM
        assert bert.hear() == ""
        assert server.kept() == []


def test_fix_what_is_acknowledged_is_durable_and_who_is_being_served_gets_an_answer(tmp_path: Path) -> None:
    with process(tmp_path / "journal", "60") as (server, anna, bert):
        assert [anna.ask(f"put {number}") for number in range(10)] == ["ok"] * 10
        assert bert.ask("slow 10") == "begun"
        server.terminate()
        assert server.said() == "draining"
        with pytest.raises(ConnectionRefusedError):
            Client(server)
        assert anna.ask("put 11") == "closed"  # told so, and not left hanging
        anna.say("go")
        assert bert.hear() == "ok"
        assert server.ended() == 0
        assert server.kept() == [str(number) for number in range(11)]


def test_fix_who_does_not_end_is_cut_off_at_the_deadline_and_the_rest_is_kept_all_the_same(tmp_path: Path) -> None:
    with process(tmp_path / "journal", "0.1") as (server, anna, bert):
        assert bert.ask("slow never") == "begun"
        assert anna.ask("put 1") == "ok"
        server.terminate()
        assert [server.said(), server.said()] == ["draining", "cut off"]
        assert server.ended() == 0
        assert bert.hear() == ""  # it was not acknowledged, and it was not done
        assert server.kept() == ["1"]


async def close_while_one_is_inside(first: str) -> tuple[list[str], BaseException | None]:
    """Closes the gate and the journal, `first` of them first; what was kept, and what the one inside got."""
    rows: list[str] = []
    gate = Gate("web", Fixed(1), [Workload("word")])
    journal = Batcher("journal", rows.extend, max_items=10, capacity=10)
    may_go = asyncio.Event()

    async def handler() -> None:
        async with gate.admit("word"):
            await may_go.wait()
            await journal.put("a word")

    request = asyncio.ensure_future(handler())
    await asyncio.sleep(0)
    if first == "journal":
        journal.close(WITHIN_S)
    draining = asyncio.ensure_future(gate.drain_async(timeout_s=WITHIN_S))
    may_go.set()
    await draining
    journal.close(WITHIN_S)
    await asyncio.wait([request])
    return rows, request.exception()


def test_trap_the_store_closed_before_those_who_use_it_fails_them() -> None:
    rows, error = asyncio.run(close_while_one_is_inside(first="journal"))
    assert rows == []
    assert isinstance(error, Closed)


def test_fix_closed_from_the_outside_inwards_each_still_has_what_it_needs() -> None:
    assert asyncio.run(close_while_one_is_inside(first="gate")) == (["a word"], None)
