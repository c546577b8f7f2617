"""What comes in broken is answered with a 4xx that names the field; the server goes on as if nothing had been."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from serving import Turnout

DOMAIN = "acme.example"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
GOOD: dict[str, Any] = {"n": "pageview", "u": f"https://{DOMAIN}/", "d": DOMAIN}


def event(**changes: Any) -> bytes:
    return json.dumps({key: value for key, value in {**GOOD, **changes}.items() if value is not ...}).encode()


EVENTS = {
    "not json": (b"{", 400, ""),
    "a list": (b"[]", 400, ""),
    "broken utf-8": (b'{"n":"pageview","u":"https://acme.example/\xff","d":"acme.example"}', 400, ""),
    "empty": (b"", 400, ""),
    "no name": (event(n=...), 400, "name"),
    "a name of numbers": (event(n=7), 400, "name"),
    "a name too long": (event(n="x" * 121), 400, "name"),
    "no url": (event(u=...), 400, "url"),
    "a url that is none": (event(u="no url"), 400, "url"),
    "a url too long": (event(u="https://acme.example/" + "x" * 2_000), 400, "url"),
    "no domain": (event(d=...), 400, "domain"),
    "an unknown site": (event(d="nobody.example"), 400, "domain"),
    "ten thousand properties": (event(p={f"key{n}": "v" for n in range(10_000)}), 413, ""),
    "thirty-one properties": (event(p={f"key{n}": "v" for n in range(31)}), 400, "props"),
    "a nested property": (event(p={"a": {"b": 1}}), 400, "props"),
    "a value too long": (event(p={"a": "x" * 2_001}), 400, "props"),
    "properties that are a number": (event(p=7), 400, "props"),
    "an amount that is none": (event(**{"$": {"currency": "EUR", "amount": "much"}}), 400, "revenue"),
    "scrolled beyond the end": (event(n="engagement", sd=101, e=1), 400, "s"),
    "ten megabytes": (event(p={"a": "x" * 10_000_000}), 413, ""),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, make_turnout: type[Turnout]) -> Any:
    server = make_turnout(tmp_path_factory.mktemp("bad") / "data").prepare().start()
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("case", EVENTS)
def test_a_broken_event_is_refused_and_its_field_named(running: Turnout, case: str) -> None:
    body, status, field = EVENTS[case]
    answer = httpx.post(f"{running.url}/api/event", content=body, headers={"User-Agent": AGENT}, timeout=30)
    assert answer.status_code == status, answer.text
    assert "errors" in answer.json()
    assert any(field in key for key in answer.json()["errors"]), answer.text


QUERIES: dict[str, tuple[dict[str, Any], str]] = {
    "no metrics": ({"metrics": []}, "metrics"),
    "an unknown metric": ({"metrics": ["visitor"]}, "metrics[0]"),
    "an absurd date": ({"date_range": ["2026-02-30", "2026-03-01"]}, "date_range"),
    "a year of other ages": ({"date_range": ["0001-01-01", "9999-12-31"]}, "date_range"),
    "a range backwards": ({"date_range": ["2026-03-02", "2026-03-01"]}, "date_range"),
    "an unknown range": ({"date_range": "3d"}, "date_range"),
    "an unknown dimension": ({"dimensions": ["visit:shoe_size"]}, "dimensions[0]"),
    "an unknown operator": ({"filters": [["resembles", "visit:source", ["a"]]]}, "filters[0]"),
    "a broken pattern": ({"filters": [["matches", "visit:source", ["("]]]}, "filters[0]"),
    "too many rows": ({"pagination": {"limit": 10_001}}, "pagination.limit"),
    "an unknown key": ({"metricz": ["visits"]}, "metricz"),
    "a metric of numbers": ({"metrics": [7]}, "metrics[0]"),
}


@pytest.mark.parametrize("case", QUERIES)
def test_a_broken_query_is_refused_and_its_field_named(running: Turnout, case: str) -> None:
    changes, field = QUERIES[case]
    body = {"site_id": DOMAIN, "metrics": ["visitors"], "date_range": "day", **changes}
    answer = httpx.post(
        f"{running.url}/api/v2/query", json=body, headers={"Authorization": f"Bearer {running.key}"}, timeout=30
    )
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["error"], answer.text


def test_a_query_without_a_key_or_for_another_site_gives_nothing_away(running: Turnout) -> None:
    body = {"site_id": DOMAIN, "metrics": ["visitors"], "date_range": "day"}
    url = f"{running.url}/api/v2/query"
    assert httpx.post(url, json=body, timeout=30).status_code == 401
    assert httpx.post(url, json=body, headers={"Authorization": "Bearer nonsense"}, timeout=30).status_code == 401
    key = {"Authorization": f"Bearer {running.key}"}
    missing = httpx.post(url, json={**body, "site_id": "nobody.example"}, headers=key, timeout=30)
    assert missing.status_code in (401, 404)
    assert "nobody" not in missing.text or "acme" not in missing.text


def test_the_server_still_counts_after_all_that(running: Turnout) -> None:
    before = running.total("events")
    assert running.send(GOOD).status_code == 202
    running.wait_for("events", before + 1)
