"""Every route × nobody, the owner, somebody else. A route that has no line here fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest

from seawall.clock import SYSTEM_CLOCK
from turnout.settings import Settings
from turnout.web.app import Services, make_app

if TYPE_CHECKING:
    from serving import Turnout

PASSWORD = "correct horse battery"
QUERY = {"site_id": "acme.example", "metrics": ["visitors"], "date_range": "day"}


class Expected(NamedTuple):
    """The status for nobody, for the site's owner, for another account."""

    nobody: int
    owner: int
    other: int


SITE = "/sites/{domain:str}"
ROUTES: dict[tuple[str, str], Expected] = {
    ("GET", "/"): Expected(303, 303, 303),
    ("GET", "/login"): Expected(200, 303, 303),
    ("POST", "/login"): Expected(401, 401, 401),
    ("POST", "/logout"): Expected(303, 303, 303),
    ("GET", "/first-account/{token:str}"): Expected(404, 404, 404),
    ("POST", "/first-account/{token:str}"): Expected(404, 404, 404),
    ("GET", "/sites"): Expected(303, 200, 200),
    ("POST", "/sites"): Expected(303, 400, 400),
    ("GET", SITE): Expected(303, 200, 404),
    ("GET", f"{SITE}/live"): Expected(303, 200, 404),
    ("GET", f"{SITE}/suggest"): Expected(303, 400, 404),
    ("POST", "/api/v2/query"): Expected(401, 200, 404),
}
# The framework's own: static files, and the API's description. Nobody's business is in them.
FREE = re.compile(r"^/(static|api/docs)(/|$)")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, make_turnout: type[Turnout]) -> Iterator[Turnout]:
    server = make_turnout(tmp_path_factory.mktemp("routes") / "data").prepare()
    server.command("user", "create", "bob@example.org", "--password-stdin", stdin=PASSWORD + "\n")
    server.start()
    yield server
    assert server.stop() == 0


def routes() -> set[tuple[str, str]]:
    services = Services(None, None, None, SYSTEM_CLOCK, Settings(), None)  # type: ignore[arg-type]  # nothing is called
    app = make_app(services, "0" * 32)
    return {
        (method, route.path_format)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if method not in ("OPTIONS", "HEAD") and not FREE.match(route.path)
    }


def test_every_route_has_its_line() -> None:
    listed = {(method, re.sub(r":[a-z]+\}", "}", path)) for method, path in ROUTES}
    assert {(method, re.sub(r":[a-z]+\}", "}", path)) for method, path in routes()} == listed


@pytest.mark.parametrize("who", ["nobody", "owner", "other"])
def test_everybody_gets_what_is_theirs_and_no_more(running: Turnout, who: str) -> None:
    for (method, path), expected in ROUTES.items():
        # A session for each: signing out is one of the routes.
        with closing(client(running, who)) as web:
            csrf = re.search(
                r'name="_csrf_token"[^>]*value="([^"]+)"', web.get("/nowhere").text + web.get("/sites").text
            )
            answer = ask(running, web, who, method, path, csrf.group(1) if csrf else csrf_of(web))
            assert answer.status_code == getattr(expected, who), (method, path, who, answer.text[:300])


def ask(running: Turnout, web: httpx.Client, who: str, method: str, path: str, csrf: str) -> httpx.Response:
    filled = path.replace("{domain:str}", "acme.example").replace("{token:str}", "x" * 43)
    if path.startswith("/api/"):
        headers = {} if who == "nobody" else {"Authorization": f"Bearer {key(running, who)}"}
        return web.post(filled, json=QUERY, headers=headers)
    if method == "POST":
        form = {"email": "ada@example.org", "password": "wrong password", "domain": "", "_csrf_token": csrf}
        return web.post(filled, data=form)
    with web.stream(method, filled) as answer:
        if path.endswith("/live"):
            return answer  # its body has no end
        answer.read()
        return answer


def client(running: Turnout, who: str) -> httpx.Client:
    web = httpx.Client(base_url=running.url, timeout=30)
    if who != "nobody":
        email = {"owner": "ada@example.org", "other": "bob@example.org"}[who]
        web.post("/login", data={"email": email, "password": PASSWORD, "_csrf_token": csrf_of(web)})
    return web


def csrf_of(web: httpx.Client) -> str:
    found = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', web.get("/login").text)
    assert found is not None
    return found.group(1)


def key(running: Turnout, who: str) -> str:
    email = {"owner": "ada@example.org", "other": "bob@example.org"}[who]
    return running.command("key", "create", "--owner", email)
