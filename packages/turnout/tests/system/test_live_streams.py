from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import httpx
from serving import DOMAIN, until

if TYPE_CHECKING:
    from serving import Turnout

LIVE = f"/sites/{DOMAIN}/live"
EACH = 10
"""Streams that one person may have."""


def told(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """What a stream says, as it says it."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_the_first_visitor_is_told(server: Turnout) -> None:
    with closing(server.signed_in()) as web, web.stream("GET", LIVE) as answer:
        news = told(answer)
        assert next(news) == {"visitors": 0, "has_events": False}
        server.send({"name": "pageview", "url": f"https://{DOMAIN}/", "domain": DOMAIN})
        assert next(news) == {"visitors": 1, "has_events": True}


def test_streams_are_bounded_and_closed_ones_leave_room(server: Turnout) -> None:
    with closing(server.signed_in()) as web:
        for _ in range(50):
            # The server hears of a close a moment later; for ever so many moments there would be no room.
            until(lambda: _is_told(web), "room")
        with ExitStack() as opened:
            streams = [told(opened.enter_context(web.stream("GET", LIVE))) for _ in range(EACH)]
            assert [next(stream)["visitors"] for stream in streams] == [0] * EACH
            with web.stream("GET", LIVE) as refused:
                assert refused.status_code == 503
                assert int(refused.headers["retry-after"]) > 0
        until(lambda: _is_told(web), "room after all have gone")


def _is_told(web: httpx.Client) -> bool:
    with web.stream("GET", LIVE) as answer:
        return answer.status_code == 200 and "visitors" in next(told(answer))


def test_the_server_ends_at_once_with_streams_open(server: Turnout) -> None:
    with closing(server.signed_in()) as web, ExitStack() as opened:
        streams = [told(opened.enter_context(web.stream("GET", LIVE))) for _ in range(5)]
        for stream in streams:
            next(stream)
        assert server.stop() == 0
        assert [list(stream) for stream in streams] == [[]] * 5
    # uvicorn writes this when its time for draining runs out.
    assert "timeout graceful shutdown exceeded" not in server.log.read_text()
    assert server.log.read_text().count("Error") == 0
