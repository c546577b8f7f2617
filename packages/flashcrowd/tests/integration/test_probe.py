"""The probe against services in processes of their own, and against Turnout."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from known_bottlenecks.crowd import Crowd
from known_bottlenecks.serve import served
from serving import EMAIL, Turnout

from flashcrowd.probe.probe import Probe
from flashcrowd.samples import Reading

LONG_S = 60.0


async def readings_of(url: str, count: int, *, visits: int = 0, **how: str) -> tuple[str, list[Reading], list[str]]:
    """What the probe finds, its first `count` readings while so many visit at once, and what it tells."""
    told: list[str] = []
    probe = Probe(url, now=time.perf_counter, tell=told.append, every_s=0.05, **how)  # type: ignore[arg-type]
    crowd = Crowd(url, 1)
    try:
        found = await probe.find()
        running = asyncio.create_task(probe.run())
        load = asyncio.create_task(crowd.come(visits, 1.0)) if visits else None
        async with asyncio.timeout(LONG_S):
            while len(probe.readings) < count:  # noqa: ASYNC110 (a list tells nobody that it has grown)
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, *([load] if load else []), return_exceptions=True)
        return found, probe.readings, told
    finally:
        probe.close()
        await crowd.close()


@contextmanager
def answering(status: int, content_type: str, body: bytes, *, location: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything alike, and the bearer tokens that it was shown."""
    shown: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", shown
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_on_seawall_is_read_from_its_console() -> None:
    with served("semaphore_tasks", 1) as url:
        found, readings, told = asyncio.run(readings_of(url, 20, visits=200))
    busiest = max(
        (resource for reading in readings for resource in reading.resources if resource.name == "exports"),
        key=lambda resource: resource.waiting or 0.0,
    )
    assert found == f"{url}/seawall/snapshot and its process"
    assert (busiest.kind, busiest.capacity) == ("semaphore", 3)
    assert busiest.waiting is not None
    assert busiest.waiting > 0
    assert told == []
    assert any(reading.process.loop_lag_s is not None for reading in readings)
    assert [reading.at_s for reading in readings] == sorted(reading.at_s for reading in readings)


def test_a_service_with_metrics_is_read_from_them() -> None:
    with served("connection_pool_metrics", 1) as url:
        found, readings, told = asyncio.run(readings_of(url, 10, visits=50))
    assert found == f"{url}/metrics and its process"
    assert {resource.name for reading in readings for resource in reading.resources} == {"db_client_connection orders"}
    assert told == []


def test_a_service_that_tells_nothing_still_has_a_process_and_a_time_to_answer() -> None:
    with served("healthy_bare", 1) as url:
        found, readings, told = asyncio.run(readings_of(url, 5))
    assert (found, told) == ("its process", [])
    assert all(reading.resources == () for reading in readings)
    assert any(reading.answered_in_s is not None for reading in readings)
    cpu_s = [reading.process.cpu_s_total for reading in readings if reading.process.cpu_s_total is not None]
    assert cpu_s == sorted(cpu_s)
    assert cpu_s


def test_turnout_is_read_with_a_key_and_without_one_it_says_what_is_missing(tmp_path: Path) -> None:
    turnout = Turnout(tmp_path / "data").prepare().start()
    try:
        key = turnout.command("key", "create", "--owner", EMAIL, "--scope", "ops")
        found, readings, told = asyncio.run(readings_of(turnout.url, 3, key=key))
        _, _, told_without = asyncio.run(readings_of(turnout.url, 3))
    finally:
        turnout.stop()
    assert found == f"{turnout.url}/ops/snapshot and its process"
    assert told == []
    assert {resource.kind for resource in readings[-1].resources} >= {"lock", "thread pool", "queue", "gate"}
    assert told_without == [
        f"snapshot {turnout.url}/ops/snapshot: it answered 401: it wants a key (--key), or another one"
    ]


@pytest.mark.parametrize(
    ("status", "content_type", "body", "complaint"),
    [
        (404, "text/plain", b"no", "it answered 404"),
        (403, "text/plain", b"no", "it answered 403: it wants a key (--key), or another one"),
        (200, "application/json", b"{}", "its JSON is no snapshot of Seawall"),
        (200, "application/json", b"{", "its JSON can't be read"),
        (200, "text/html", b"<p>", "it answered with a page for people"),
        (200, "text/plain", b"hello", "there is no metric in it (text/plain)"),
    ],
)
def test_a_bad_answer_is_told_once_and_does_not_end_the_run(
    status: int, content_type: str, body: bytes, complaint: str
) -> None:
    with answering(status, content_type, body) as (url, _):
        found, readings, told = asyncio.run(readings_of(url, 4, snapshot="/figures"))
    assert len(told) == 1
    assert told[0].startswith(f"snapshot {url}/figures: {complaint}")
    assert found == ""  # the listening process is our own
    assert len(readings) >= 4


def test_a_target_that_is_not_there_is_told_of_where_a_snapshot_was_asked_for() -> None:
    with answering(200, "text/plain", b"") as (url, _):
        pass
    found, readings, told = asyncio.run(readings_of(url, 2, snapshot="/metrics"))
    assert found == ""
    assert len(told) == 1
    assert all(reading.resources == () for reading in readings)


def test_the_key_goes_to_the_address_that_was_given_and_to_no_redirect() -> None:
    with answering(200, "text/plain", b"x_pool_in_use 1\n") as (elsewhere, shown_elsewhere):
        with answering(302, "text/plain", b"", location=f"{elsewhere}/metrics") as (url, shown):
            asyncio.run(readings_of(url, 2, snapshot="/figures", key="secret"))
    assert "Bearer secret" in shown
    assert shown_elsewhere
    assert set(shown_elsewhere) == {""}
