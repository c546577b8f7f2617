"""What a request waited for is told to operators, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from serving import DOMAIN, EMAIL, PASSWORD, Turnout

QUERY = {"site_id": DOMAIN, "date_range": "day", "metrics": ["visitors"]}
PAIR = re.compile(r"[A-Za-z0-9_.]+;dur=[0-9.e+-]+")


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_an_operators_session_and_a_key_of_scope_ops_are_told(turnout: Turnout) -> None:
    turnout.command("user", "create", EMAIL, "--operator", "--password-stdin", stdin=PASSWORD + "\n")
    turnout.command("site", "create", DOMAIN, "--owner", EMAIL, "--timezone", "UTC")
    ops = turnout.command("key", "create", "--owner", EMAIL, "--scope", "ops")
    stats = turnout.command("key", "create", "--owner", EMAIL)
    turnout.start()
    with closing(turnout.signed_in()) as web:
        timings = [web.get(path).headers["server-timing"] for path in (f"/sites/{DOMAIN}", "/ops", "/sites")]
        assert "server-timing" in web.get(f"/sites/{DOMAIN}?period=fortnight").headers, "what is wrong with it too"
    told = httpx.get(f"{turnout.url}/ops/snapshot", headers=with_key(ops))
    timings.append(told.headers["server-timing"])
    for timing in timings:
        assert all(PAIR.fullmatch(part) for part in timing.split(", ")), timing
        assert "total;dur=" in timing
    assert "db.events;dur=" in timings[0]
    assert "pool.queries;dur=" in timings[0]
    answer = httpx.post(f"{turnout.url}/api/v2/query", json=QUERY, headers=with_key(stats))
    assert answer.status_code == 200
    assert "server-timing" not in answer.headers, "an operator's key for statistics is given to others"


@pytest.mark.parametrize(
    "path", ["/login", "/sites", f"/sites/{DOMAIN}", "/ops", "/nowhere", "/health/live", "/metrics"]
)
def test_nobody_else_is_told(server_for_all: Turnout, path: str) -> None:
    key = server_for_all.key
    with closing(server_for_all.signed_in()) as web:
        for answer in (
            web.get(path),
            httpx.get(server_for_all.url + path),
            httpx.get(server_for_all.url + path, headers=with_key(key)),
            httpx.get(server_for_all.url + path, headers=with_key("tk_wrong")),
        ):
            assert "server-timing" not in answer.headers
    answer = httpx.post(f"{server_for_all.url}/api/v2/query", json=QUERY, headers=with_key(key))
    assert (answer.status_code, "server-timing" in answer.headers) == (200, False)


@pytest.fixture(scope="module")
def server_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turnout]:
    made = Turnout(tmp_path_factory.mktemp("timing") / "data")
    try:
        yield made.prepare().start()
    finally:
        if made.process is not None:
            made.process.kill()
            made.process.wait()
