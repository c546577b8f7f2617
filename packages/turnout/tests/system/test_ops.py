"""The page of operations and its data: for operators, and for keys of scope ops."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import httpx
from serving import DOMAIN, EMAIL, PASSWORD, Turnout, until

from seawall import snapshot


def test_an_operator_sees_operations_and_a_key_of_scope_ops_reads_them(turnout: Turnout) -> None:
    turnout.command("user", "create", EMAIL, "--operator", "--password-stdin", stdin=PASSWORD + "\n")
    turnout.start()
    with closing(turnout.signed_in()) as web:
        until(lambda: "Nothing limits now" in web.get("/ops").text, "nothing to limit")  # a busy machine's loop is late
        page = web.get("/ops")
        assert page.status_code == 200
        for name in (
            "hashes",
            "queries",
            "accounts.write",
            "writer",
            "derive",
            "pages: dashboard",
            "sign-ins: sign-in",
            "sign-in",  # the waiting room
        ):
            assert f">{name}</th>" in page.text
        assert 'href="/ops"' in web.get("/sites").text
        stack = web.get("/ops/stacks", params={"who": "thread writer"})
        assert "writer.py" in stack.text
        assert "It has ended" in web.get("/ops/stacks", params={"who": "thread <b>"}).text
    key = turnout.command("key", "create", "--owner", EMAIL, "--scope", "ops")
    found = httpx.get(f"{turnout.url}/ops/snapshot", headers={"Authorization": f"Bearer {key}"}).json()
    assert {"depth_events", "age_s", "size_bytes"} == set(found["journal"])
    assert found["process"]["rss_bytes"] > 50_000_000
    assert found["process"]["threads"] > 3
    assert {pool["name"] for pool in found["pools"]} >= {"hashes", "queries", "accounts"}
    gates = {gate["name"]: gate for gate in found["gates"]}
    assert {"pages", "answers", "sign-ins", "streams"} <= set(gates)
    assert gates["sign-ins"]["workloads"][0]["done_total"] >= 1
    works = {work["name"]: work for work in gates["pages"]["workloads"]}
    assert {"in_flight", "waiting", "refused", "expected_wait_s", "spare_seats"} <= set(works["account"])
    assert works["operations"]["arrivals_total"] > works["account"]["in_flight"] == 0
    assert [room["workload"] for room in found["rooms"]] == ["dashboard", "sign-in"]
    assert {"waiting", "per_s", "expected_wait_s", "in_total", "missed_total"} <= set(found["rooms"][0])
    metrics = httpx.get(f"{turnout.url}/metrics").text.splitlines()
    assert 'seawall_room_waiting{workload="dashboard"} 0' in metrics
    assert found["store"]["position"] == 0
    assert found["level"] == "ordered"
    assert {"resource_pools", "caches", "read_write_locks", "found", "waits"} <= set(found)
    stats = turnout.command("key", "create", "--owner", EMAIL)
    refused = httpx.get(f"{turnout.url}/ops/snapshot", headers={"Authorization": f"Bearer {stats}"})
    assert (refused.status_code, refused.json()["title"]) == (401, "Not signed in")


def test_what_other_tools_rely_on_is_there(server: Turnout) -> None:
    """The names that `/metrics` promises, on a server that has taken an event and answered a query."""
    assert server.send({"n": "pageview", "u": f"https://{DOMAIN}/", "d": DOMAIN}).status_code == 202
    robot = server.send({"n": "pageview", "u": f"https://{DOMAIN}/", "d": DOMAIN}, agent="curl/8.5.0")
    assert robot.headers["x-plausible-dropped"] == "1"
    server.wait_for("pageviews", 1)
    text = httpx.get(f"{server.url}/metrics").text
    for sample in (
        'turnout_events_total{outcome="accepted",reason=""} 1',
        'turnout_events_total{outcome="dropped",reason="',
        "turnout_journal_depth_events ",
        "turnout_journal_age_seconds ",
        "turnout_queries_in_flight ",
        'seawall_gate_waiting{gate="pages",workload="dashboard"} 0',
        'seawall_gate_in_flight{gate="ingest",workload="ingest"} 0',
        'seawall_gate_wait_seconds_bucket{gate="pages",workload="account",le="',
        'seawall_room_expected_wait_seconds{workload="dashboard"} 0',
        'seawall_pool_threads{pool="queries"} ',
        'seawall_pool_busy{pool="hashes"} ',
        'seawall_pool_queued{pool="accounts"} 0',
        'seawall_pool_queue_age_seconds{pool="jobs"} 0',
        'seawall_lock_waiters{lock="journal"} ',
        'seawall_lock_wait_seconds_bucket{lock="store.days",le="',
        'seawall_loop_lag_seconds{loop="main"} ',
        "seawall_deadlocks_total 0",
    ):
        assert f"\n{sample}" in text, sample
    assert text.endswith("# EOF\n")


def test_without_a_wish_a_server_runs_watched(make_turnout: type[Turnout], tmp_path: Path) -> None:
    turnout = make_turnout(
        tmp_path / "data", {"SEAWALL_LEVEL": ""}
    )  # these tests run ordered, and so does what they start
    turnout.command("user", "create", EMAIL, "--operator", "--password-stdin", stdin=PASSWORD + "\n")
    key = turnout.command("key", "create", "--owner", EMAIL, "--scope", "ops")
    turnout.start()
    try:
        found = httpx.get(f"{turnout.url}/ops/snapshot", headers={"Authorization": f"Bearer {key}"}).json()
    finally:
        turnout.stop()
    assert found["level"] == "watched"


def test_tests_run_ordered() -> None:
    assert os.environ["SEAWALL_LEVEL"] == snapshot().level == "ordered"
