"""`turnout serve --lab-without`: refused by default; with a protection away the server falls earlier, and loses nothing."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from pathlib import Path

import pytest
from serving import DOMAIN, Turnout

from seawall import snapshot
from turnout.compose import Server
from turnout.settings import Settings, load
from turnout.without import PROTECTIONS, SEATS, THREADS, VARIABLE, Protection


@pytest.mark.parametrize(
    ("name", "environment", "told"),
    [
        ("gate", {}, f"set {VARIABLE}=1"),
        ("gate", {VARIABLE: "0"}, f"set {VARIABLE}=1"),
        ("seatbelt", {VARIABLE: "1"}, "expected one of locks, pool, gate, sharing, not 'seatbelt'"),
    ],
    ids=["not-allowed", "said-no", "unknown"],
)
def test_it_is_refused_before_anything_is_opened(
    name: str, environment: dict[str, str], told: str, tmp_path: Path
) -> None:
    turnout = Turnout(tmp_path / "data", environment)
    done = turnout.try_command("serve", "--port", "0", "--lab-without", name)
    assert done.returncode == 2
    assert told in done.stderr
    assert not turnout.data.exists()


def test_its_variable_is_no_setting_and_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load({"data": tmp_path}, {VARIABLE: "1", "TURNOUT_LOB": "1"})
    assert [record.getMessage() for record in caplog.records] == ["$TURNOUT_LOB: there is no setting lob"]


@pytest.mark.parametrize("without", PROTECTIONS)
def test_each_acknowledged_event_is_stored_once_without_it(without: Protection, tmp_path: Path) -> None:
    turnout = Turnout(tmp_path / "data", {VARIABLE: "1"}).prepare()
    turnout.start("--lab-without", without)
    try:
        for number in range(20):
            url = f"https://{DOMAIN}/page-{number}"
            answer = turnout.send({"n": "pageview", "u": url, "d": DOMAIN}, address=f"203.0.113.{number}")
            assert answer.status_code == 202
        turnout.wait_for("pageviews", 20)
        rows = turnout.query(metrics=["pageviews"], dimensions=["event:page"])
        assert sorted(row["metrics"][0] for row in rows) == [1] * 20
        assert f"without its protection '{without}'" in turnout.log.read_text()
    finally:
        turnout.stop()


def test_what_is_taken_away_is_that_protection_and_no_other(tmp_path: Path) -> None:
    found = {}
    for without in (None, *PROTECTIONS):
        data = tmp_path / str(without)
        data.mkdir()
        found[without] = asyncio.run(_figures(data, without))
    whole = found[None]
    assert whole["mutexes"] == {"accounts.write", "journal"}
    assert found["pool"] == {**whole, "threads": THREADS}
    assert found["gate"] == {**whole, "seats": SEATS}
    assert found["locks"] == {**whole, "mutexes": set()}
    assert found["sharing"] == whole  # its parts are tested one by one


async def _figures(data: Path, without: Protection | None) -> dict[str, object]:
    """What each protection consists of, in a server that is built without one of them."""
    gc.collect()  # or the locks of a server before could go meanwhile
    before = Counter(lock.name for lock in snapshot().locks)
    server = Server(Settings(data=data), without=without)
    try:
        pools = {pool.name: pool.max_threads for pool in snapshot().pools}
        return {
            "threads": pools["queries"],
            "seats": server.gates.pages.statistics().limit,
            "mutexes": set(Counter(lock.name for lock in snapshot().locks) - before) & {"accounts.write", "journal"},
        }
    finally:
        server.close(5.0)
