"""The console mounted in real frameworks, on a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from seawall import Mutex
from seawall.console import Console, from_this_machine

PATIENCE_S = 30.0
HTML = {"accept": "text/html"}


def bare() -> Any:
    return Console(allow=from_this_machine)


def in_starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    return Starlette(routes=[Mount("/inner", routes=[Mount("/seawall", bare())])])


def in_fastapi() -> Any:
    from fastapi import FastAPI

    app = FastAPI()
    app.mount("/seawall", bare())
    return app


def in_litestar() -> Any:
    from litestar import Litestar, asgi

    return Litestar([asgi("/seawall", is_mount=True, copy_scope=True)(bare())])


PLACES: dict[str, tuple[Callable[[], Any], str]] = {
    "bare": (bare, "/"),
    "starlette": (in_starlette, "/inner/seawall/"),
    "fastapi": (in_fastapi, "/seawall/"),
    "litestar": (in_litestar, "/seawall/"),
}


@contextmanager
def serving(app: Any, **settings: Any) -> Iterator[str]:
    """The address of a real server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", **settings))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), name="server", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[str]:
    make, path = PLACES[request.param]
    with serving(make()) as base:
        yield base + path


def test_the_page_and_all_it_links_to_are_there(place: str, watched: None) -> None:
    mutex = Mutex("accounts under a framework")

    def enter() -> None:
        with mutex:
            pass

    waiter = threading.Thread(target=enter, name="patient", daemon=True)
    with mutex, httpx.Client(timeout=PATIENCE_S) as client:
        waiter.start()
        while not mutex.statistics().waiters:
            threading.Event().wait(0.002)
        page = client.get(place, headers=HTML)
        assert page.status_code == 200
        assert "accounts under a framework" in page.text
        for name in ("style.css", "script.js"):
            assert f'"{name}"' in page.text
            assert client.get(place + name).status_code == 200
        stacks = client.get(place + "stacks", params={"who": "thread patient"}, headers=HTML)
        assert " in enter" in stacks.text
        assert client.head(place).headers["content-length"]
        assert client.get(place, headers={"accept": "application/json"}).json()["level"] == "watched"
        assert "patient waits for" in client.get(place).text
        without = client.get(place.rstrip("/"), headers=HTML, follow_redirects=True)
        assert (without.status_code, without.url.path) == (200, httpx.URL(place).path)
        assert client.get(place + "nowhere").status_code == 404
    waiter.join(PATIENCE_S)


def test_a_proxied_request_is_not_one_of_this_machine(place: str) -> None:
    for headers in ({"x-forwarded-for": "192.0.2.9"}, {"via": "1.1 proxy"}, {"host": "rebound.example"}):
        assert httpx.get(place, headers=headers).status_code == 403
