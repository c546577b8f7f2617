"""Gets one small page from the target, beside the load, on a connection of its own."""

from __future__ import annotations

from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

MAX_BYTES = 8_000_000
"""Of a snapshot with some 50,000 waiters; what is longer is no page to ask for twice a second."""

ACCEPT = "application/json, application/openmetrics-text;q=0.9, text/plain;q=0.8, */*;q=0.1"

_OPENER = build_opener(ProxyHandler({}))  # the target itself, whatever proxy the environment names


class Page(NamedTuple):
    """What came."""

    status: int
    content_type: str
    body: bytes


def fetch(url: str, key: str, timeout_s: float) -> Page:
    """Get `url`; blocks for up to `timeout_s` seconds for each part of it. A key goes to that address alone, no redirect.

    Raises OSError where nothing came in time, or something that is no HTTP.
    """
    try:
        request = Request(url, headers={"Accept": ACCEPT, "User-Agent": "flashcrowd"})
        if key:
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        with _OPENER.open(request, timeout=timeout_s) as answer:
            return Page(answer.status, answer.headers.get("Content-Type", ""), answer.read(MAX_BYTES))
    except HTTPError as error:
        with error:
            return Page(error.code, error.headers.get("Content-Type", ""), b"")
    except (HTTPException, ValueError) as error:
        raise OSError(f"no HTTP: {error}") from error
