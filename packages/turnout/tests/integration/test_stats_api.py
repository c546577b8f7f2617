"""`POST /api/v2/query` over real HTTP: its failures, and every example of the reference."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from api_server import API_KEY, ApiServer

from turnout.ingest.visits import Visits
from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId
from turnout.query.parse import Ask, parse_body

REFERENCE = Path(__file__).parents[4] / "docs" / "reference" / "stats-api.md"
GOOD = {"site_id": "shop.example", "metrics": ["visitors"], "date_range": "7d"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with ApiServer(tmp_path_factory.mktemp("store")) as server:
        server.clock.set(datetime(2026, 6, 15, 12, tzinfo=UTC).timestamp())
        server.sites.add(Site(SiteId(1), "shop.example", "Europe/Berlin", UserId(1)))
        server.sites.add(Site(SiteId(2), "foreign.example", "UTC", UserId(2)))
        visits = Visits(server.writer)
        server.writer.append([visits.decide(each, at) for at, each in enumerate(example_events(), start=1)])
        yield server


@pytest.fixture
def client(server: ApiServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {API_KEY}"}) as client:
        yield client


def example_events() -> list[Event]:
    """The visits that the reference tells of."""
    return [
        event("2026-06-09T08:00:00", 11, "/", source="Google", country="DE"),
        event("2026-06-09T08:01:30", 11, "/pricing", source="Google", country="DE"),
        event("2026-06-09T08:02:00", 11, "/pricing", name="Signup", props={"plan": "pro"}, country="DE"),
        event("2026-06-10T09:00:00", 12, "/", source="", country="FR"),
        event("2026-06-10T22:30:00", 13, "/blog", source="Google", country="DE"),
    ]


def event(
    at: str,
    visitor: int,
    page: str,
    name: str = "pageview",
    source: str = "",
    country: str = "",
    props: dict | None = None,
) -> Event:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    at_ms = int(moment.timestamp() * 1000)
    texts = dict.fromkeys(Event.__struct_fields__, "")
    known = {
        "site_id": 1,
        "at_ms": at_ms,
        "local_ms": at_ms + 7_200_000,
        "visitor": visitor,
        "name": name,
        "page": page,
    }
    known |= {
        "interactive": True,
        "hostname": "shop.example",
        "source": source,
        "country": country,
        "props": props or {},
    }
    known |= dict.fromkeys(("revenue_amount", "revenue_currency", "scroll_depth", "engaged_ms"))
    return Event(**texts | known)


def test_no_key_and_a_wrong_key_are_401(client: httpx.Client) -> None:
    for key in ("", "Bearer wrong", "Basic x"):
        answer = client.post("/api/v2/query", json=GOOD, headers={"authorization": key})
        assert answer.status_code == 401
        assert "key" in answer.json()["error"]


def test_an_unknown_site_and_someone_elses_look_the_same(client: httpx.Client) -> None:
    answers = [
        client.post("/api/v2/query", json=GOOD | {"site_id": name}) for name in ("no.example", "foreign.example")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "expected JSON"),
        (b"{", 400, "expected JSON"),
        (b"\xff\xfe", 400, "expected JSON"),
        (b"[" * 50_000, 400, "nested too deeply"),
        (b"[]", 400, "expected a JSON object"),
        (b" " * 100_000, 413, "65536 bytes at most"),
        (json.dumps(GOOD | {"metrics": ["visitor"]}).encode(), 400, "metrics[0]: unknown metric 'visitor'"),
        (json.dumps(GOOD | {"filters": [["matches", "event:page", ["("]]]}).encode(), 400, "filters[0][2][0]: "),
        (json.dumps(GOOD | {"date_range": ["2026-02-02", "2026-02-01"]}).encode(), 400, "date_range: ends before"),
    ],
)
def test_a_bad_body_is_refused_with_its_reason(client: httpx.Client, body: bytes, status: int, error: str) -> None:
    answer = client.post("/api/v2/query", content=body)
    assert answer.status_code == status
    assert error in answer.json()["error"]


def test_texts_of_any_kind_are_only_compared(client: httpx.Client) -> None:
    values = ["a\0b", "'; --", "%", "\U0001f600", "\\", "$1", "{}"]
    for operator in ("is", "contains", "matches"):
        wanted = [re.escape(value) for value in values if "\0" not in value] if operator == "matches" else values
        asked = {"filters": [[operator, "event:page", wanted]], "dimensions": ["event:props:'\"$1"]}
        answer = client.post("/api/v2/query", json=GOOD | asked)
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"] == []


def test_patterns_are_compiled_beside_the_event_loop(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    loops: list[bool] = []

    def checked(body: bytes) -> Ask:
        loops.append(_has_loop())
        return parse_body(body)

    monkeypatch.setattr("turnout.web.api.parse_body", checked)
    patterns = [["matches", "event:page", ["^/pri(cing|vacy)$"]]]
    answer = client.post("/api/v2/query", json=GOOD | {"filters": patterns})
    assert (answer.status_code, loops) == (200, [False])


def test_a_query_has_few_patterns(client: httpx.Client) -> None:
    answer = client.post("/api/v2/query", json=GOOD | {"filters": [["matches", "event:page", ["a"] * 21]]})
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "filters[0][2]: a query may have 20 patterns at most"},
    )


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_imports_are_noted_as_nothing(client: httpx.Client) -> None:
    answer = client.post("/api/v2/query", json=GOOD | {"include": {"imports": True}}).json()
    assert answer["meta"]["imports_included"] is False
    assert answer["query"]["include"] == {"imports": True}


def test_all_begins_with_the_sites_first_event(client: httpx.Client) -> None:
    answer = client.post("/api/v2/query", json=GOOD | {"date_range": "all"}).json()
    assert answer["query"]["date_range"] == ["2026-06-09T00:00:00+02:00", "2026-06-15T23:59:59+02:00"]
    assert answer["results"] == [{"dimensions": [], "metrics": [3]}]


def test_filters_are_echoed_as_understood(client: httpx.Client) -> None:
    filters = [
        ["and", [["is", "event:page", ["/a"]], ["not", ["contains", "visit:os", ["x"], {"case_sensitive": False}]]]]
    ]
    answer = client.post("/api/v2/query", json=GOOD | {"filters": filters}).json()
    assert answer["query"]["filters"] == filters


def examples() -> list[tuple[str, str]]:
    """Each `json` block of the reference that asks, with the block after it, which answers."""
    blocks = re.findall(r"```json\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    return list(zip(blocks[::2], blocks[1::2], strict=True))


def test_the_reference_has_examples() -> None:
    assert len(examples()) >= 4


@pytest.mark.parametrize(("asked", "expected"), examples())
def test_every_example_of_the_reference_is_answered_so(client: httpx.Client, asked: str, expected: str) -> None:
    answer = client.post("/api/v2/query", json=json.loads(asked)).json()
    wanted = json.loads(expected)
    assert {key: answer.get(key) for key in wanted} == wanted
