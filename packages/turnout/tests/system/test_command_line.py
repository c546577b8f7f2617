"""The command line, beside a running server and without one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from serving import Turnout

DOMAIN = "acme.example"
EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.mark.parametrize("runs", [True, False])
def test_every_command_works_beside_a_server_and_without_one(turnout: Turnout, runs: bool) -> None:
    if runs:
        turnout.start()
    turnout.prepare(timezone="Europe/Berlin")
    made = turnout.try_command("key", "create", "--owner", EMAIL)
    assert made.stdout.startswith("tk_")
    assert made.stdout.count("\n") == 1
    assert turnout.try_command("demo", "--owner", EMAIL, "--events", "3000", "--seed", "7").returncode == 0
    if not runs:
        turnout.start()
    turnout.wait_for("events", 3_000, site_id="demo.example", date_range="all")
    assert turnout.total("events") == 0


@pytest.mark.parametrize("runs", [True, False])
def test_what_can_not_be_done_is_said_on_standard_error_with_status_2(turnout: Turnout, runs: bool) -> None:
    turnout.prepare()
    if runs:
        turnout.start()
    for words, stdin, said in (
        (("user", "create", "nobody", "--password-stdin"), PASSWORD, "email: expected an address"),
        (("user", "create", "b@example.org", "--password-stdin"), "short", "password: expected 10 to 1000 characters"),
        (("user", "create", EMAIL, "--password-stdin"), PASSWORD, f"email: there is an account {EMAIL} already"),
        (("site", "create", "a b", "--owner", EMAIL), "", "domain: expected a host"),
        (("site", "create", DOMAIN, "--owner", EMAIL), "", f"domain: {DOMAIN} is taken"),
        (
            ("site", "create", "b.example", "--owner", EMAIL, "--timezone", "Mars"),
            "",
            "timezone: expected an IANA name",
        ),
        (("key", "create", "--owner", "nobody@example.org"), "", "there is no account nobody@example.org"),
        (("key", "create", "--owner", EMAIL, "--scope", "all"), "", "--scope"),
    ):
        done = turnout.try_command(*words, stdin=stdin + "\n")
        assert (done.returncode, done.stdout) == (2, ""), done
        assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        ((b"user", b"create", b"\xff@example.org", b"--password-stdin"), PASSWORD.encode(), "is not text in UTF-8"),
        ((b"site", b"create", b"b.example", b"--owner", b"\xff"), b"", "is not text in UTF-8"),
        ((b"serve", b"--host", b"\xff\xfe"), b"", "is not text in UTF-8"),
        ((b"user", b"create", b"b@example.org", b"--password-stdin"), b"\xff" * 20, "password: expected text in UTF-8"),
        ((b"serve", b"--host", b"a" * 70 + b".example", b"--port", b"0"), b"", "can't listen on aaa"),
        ((b"key", b"create", b"--owner", b"a@example.org", b"--data", b"d" * 300), b"", "d" * 300),
    ],
)
def test_what_no_name_or_text_can_be_is_said_too(
    turnout: Turnout, words: tuple[bytes, ...], stdin: bytes, said: str
) -> None:
    command = [os.fsencode(sys.executable), b"-m", b"turnout", *words]
    where = [] if b"--data" in words else [b"--data", os.fsencode(turnout.data)]
    done = subprocess.run([*command, *where], input=stdin + b"\n", capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.parametrize("name", ["MÜNCHEN.example", "münchen.example.", "xn--mnchen-3ya.example"])
def test_the_demo_finds_its_site_however_its_name_is_written(turnout: Turnout, name: str) -> None:
    turnout.prepare(domain="münchen.example")
    done = turnout.try_command("demo", "--owner", EMAIL, "--site", name, "--events", "10")
    assert (done.returncode, "filled xn--mnchen-3ya.example with 10 events" in done.stderr) == (0, True)


def test_a_second_server_is_told_who_holds_the_directory(server: Turnout) -> None:
    assert server.process is not None
    second = server.try_command("serve", "--port", "0")
    assert second.returncode == 2
    assert f"process {server.process.pid} (turnout serve on 127.0.0.1:{server.port})" in second.stderr


def test_a_port_in_use_is_told(server: Turnout, tmp_path: Path, make_turnout: type[Turnout]) -> None:
    other = make_turnout(tmp_path / "other").try_command("serve", "--port", str(server.port))
    assert other.returncode == 2
    assert f"can't listen on 127.0.0.1:{server.port}" in other.stderr


def test_a_socket_left_by_a_kill_is_taken_over(server: Turnout) -> None:
    server.stop(signal.SIGKILL)
    assert (server.data / "turnout.sock").exists()
    server.command("site", "create", "offline.example", "--owner", EMAIL)
    server.start()
    server.command("site", "create", "online.example", "--owner", EMAIL)
    assert (server.data / "turnout.sock").stat().st_mode & 0o777 == 0o600
    assert server.stop() == 0
    assert not (server.data / "turnout.sock").exists()


def test_a_data_directory_may_lie_deep(tmp_path: Path, make_turnout: type[Turnout]) -> None:
    deep = tmp_path / ("a" * 100) / ("b" * 100) / "data"
    deep.parent.mkdir(parents=True)
    server = make_turnout(deep).start()
    try:
        server.prepare()
        assert server.query(metrics=["visitors"])[0]["metrics"] == [0]
    finally:
        assert server.stop() == 0


def test_a_stop_in_haste_leaves_the_rest_in_the_journal_for_the_next_start(
    tmp_path: Path, make_turnout: type[Turnout]
) -> None:
    server = make_turnout(tmp_path / "data", {"TURNOUT_DRAIN_S": "0"}).prepare().start()
    server.command("demo", "--owner", EMAIL, "--events", "60000")
    assert server.stop() == 0
    server.start()
    server.wait_for("events", 60_000, site_id="demo.example", date_range="all")
    assert server.stop() == 0


def test_sigterm_stores_whatever_was_acknowledged_and_ends_with_0(server: Turnout) -> None:
    async def crowd() -> int:
        acknowledged = 0
        under_way = asyncio.Event()

        async def one(number: int) -> None:
            nonlocal acknowledged
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                for view in range(10_000):
                    body = json.dumps({"n": "pageview", "u": f"https://{DOMAIN}/{number}/{view}", "d": DOMAIN})
                    head = f"POST /api/event HTTP/1.1\r\nHost: t\r\nUser-Agent: {AGENT}\r\nContent-Length: {len(body)}"
                    writer.write(f"{head}\r\n\r\n{body}".encode())
                    answer = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(2)
                    assert answer.startswith(b"HTTP/1.1 202"), answer
                    acknowledged += 1
                    if acknowledged == 500:
                        under_way.set()
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the server has ended
            finally:
                writer.close()

        tasks = [asyncio.create_task(one(number)) for number in range(16)]
        await under_way.wait()
        assert await asyncio.to_thread(server.stop) == 0
        await asyncio.gather(*tasks)
        return acknowledged

    acknowledged = asyncio.run(crowd())
    server.start()
    # One more than was read can have been answered on each connection that was cut.
    assert acknowledged <= server.total("events") <= acknowledged + 16
