"""Every route × everybody: each role in the organisation, a guest, nobody; on what is theirs and on another's.

A route that has no line here fails, and so does a line without its route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from seawall.clock import SYSTEM_CLOCK
from turnout.settings import Settings
from turnout.web.app import Services, make_app
from turnout.web.scope import FREE
from turnout.web.workloads import EXPORTS, ROUTES

if TYPE_CHECKING:
    from serving import Turnout

PASSWORD = "correct horse battery"
WHO = ("nobody", "guest", "viewer", "editor", "admin", "owner")
PEOPLE = WHO[1:]
# A route's line: the statuses for those of WHO, in order, on what is theirs; and for everybody signed in on another's.
LOGIN, SEEN, GONE, HIDDEN, DENIED, WRONG, KEYLESS = 303, 200, 303, 404, 403, 400, 401


def all_of(status: int, nobody: int = LOGIN) -> tuple[int, ...]:
    return (nobody, *(status for _ in PEOPLE))


def from_role(role: str, status: int, below: int = DENIED, guest: int | None = None) -> tuple[int, ...]:
    """`status` for `role` and those above, `below` for those below it."""
    at = WHO.index(role)
    row = [status if WHO.index(who) >= at else below for who in PEOPLE]
    row[0] = row[0] if guest is None else guest
    return (LOGIN, *row)


SITE, ORG = "/sites/{domain}", "/organisations/{organisation_id}"
ON_SITE: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", SITE): all_of(SEEN),
    ("GET", f"{SITE}/cards/{{card}}"): all_of(SEEN),
    ("GET", f"{SITE}/details/{{card}}"): all_of(SEEN),
    ("GET", f"{SITE}/export.zip"): all_of(GONE),
    ("POST", f"{SITE}/exports"): all_of(WRONG),
    ("GET", f"{SITE}/exports/{{token}}"): all_of(HIDDEN),
    ("GET", f"{SITE}/exports/{{token}}/file"): all_of(HIDDEN),
    ("POST", f"{SITE}/exports/{{token}}/cancel"): all_of(HIDDEN),
    ("GET", f"{SITE}/live"): all_of(SEEN),
    ("GET", f"{SITE}/suggest"): all_of(WRONG),
    ("GET", f"{SITE}/settings"): from_role("editor", SEEN),
    ("POST", f"{SITE}/settings/timezone"): from_role("editor", WRONG),
    ("POST", f"{SITE}/settings/public"): from_role("editor", GONE),
    ("POST", f"{SITE}/settings/links"): from_role("editor", WRONG),
    ("POST", f"{SITE}/settings/links/{{number}}/delete"): from_role("editor", GONE),
    ("POST", f"{SITE}/settings/guests"): from_role("admin", WRONG),
    ("POST", f"{SITE}/settings/guests/{{user}}/remove"): from_role("admin", GONE),
    ("POST", f"{SITE}/settings/delete"): from_role("admin", WRONG),
}
ON_ORGANISATION: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", ORG): from_role("viewer", SEEN, HIDDEN),
    ("GET", f"{ORG}/audit"): from_role("admin", SEEN, guest=HIDDEN),
    ("POST", f"{ORG}/name"): from_role("owner", GONE, guest=HIDDEN),
    ("POST", f"{ORG}/delete"): from_role("owner", WRONG, guest=HIDDEN),
    ("POST", f"{ORG}/members/{{user}}/role"): from_role("admin", HIDDEN, guest=HIDDEN),
    ("POST", f"{ORG}/members/{{user}}/remove"): from_role("admin", HIDDEN, guest=HIDDEN),
    ("POST", f"{ORG}/invitations"): from_role("admin", WRONG, guest=HIDDEN),
    ("POST", f"{ORG}/invitations/{{number}}/withdraw"): from_role("admin", GONE, guest=HIDDEN),
    ("POST", f"{ORG}/keys"): from_role("admin", WRONG, guest=HIDDEN),
    ("POST", f"{ORG}/keys/{{number}}/delete"): from_role("admin", GONE, guest=HIDDEN),
}
SHARE = "/share/{slug}"
# A link with a password, which nobody has given.
BY_LINK: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", SHARE): all_of(401, nobody=401),
    ("POST", f"{SHARE}/password"): all_of(WRONG, nobody=WRONG),
    ("GET", f"{SHARE}/cards/{{card}}"): all_of(401, nobody=401),
    ("GET", f"{SHARE}/details/{{card}}"): all_of(401, nobody=401),
    ("GET", f"{SHARE}/export.zip"): all_of(401, nobody=401),
    ("GET", f"{SHARE}/exports/{{token}}"): all_of(401, nobody=401),
    ("GET", f"{SHARE}/exports/{{token}}/file"): all_of(401, nobody=401),
    ("GET", f"{SHARE}/live"): all_of(401, nobody=401),
    ("GET", f"{SHARE}/suggest"): all_of(401, nobody=401),
}
BY_KEY: dict[tuple[str, str], tuple[int, ...]] = {
    ("POST", "/api/v2/query"): (KEYLESS, HIDDEN, SEEN, SEEN, SEEN, SEEN),
    ("POST", EXPORTS): (KEYLESS, HIDDEN, 202, 202, 202, 202),
    ("GET", f"{EXPORTS}/{{token}}"): (KEYLESS, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN),
    ("GET", f"{EXPORTS}/{{token}}/file"): (KEYLESS, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN),
    ("DELETE", f"{EXPORTS}/{{token}}"): (KEYLESS, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN),
}
OWN: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "/"): all_of(GONE),
    ("GET", "/sites"): all_of(SEEN),
    ("POST", "/sites"): all_of(WRONG),
    ("GET", "/login"): all_of(GONE, nobody=SEEN),
    ("POST", "/login"): all_of(401, nobody=401),
    ("GET", "/login/code"): all_of(LOGIN),
    ("POST", "/login/code"): all_of(LOGIN),
    ("POST", "/logout"): all_of(LOGIN),
    ("GET", "/forgotten"): all_of(SEEN, nobody=SEEN),
    ("POST", "/forgotten"): all_of(WRONG, nobody=WRONG),
    ("GET", "/reset/{token}"): all_of(HIDDEN, nobody=HIDDEN),
    ("POST", "/reset/{token}"): all_of(HIDDEN, nobody=HIDDEN),
    ("GET", "/first-account/{token}"): all_of(HIDDEN, nobody=HIDDEN),
    ("POST", "/first-account/{token}"): all_of(WRONG, nobody=WRONG),
    ("GET", "/invitations/{token}"): all_of(HIDDEN, nobody=HIDDEN),
    ("POST", "/invitations/{token}"): all_of(HIDDEN, nobody=HIDDEN),
    ("GET", "/welcome"): all_of(SEEN),
    ("POST", "/welcome"): all_of(WRONG),
    ("GET", "/welcome/site"): all_of(SEEN),
    ("POST", "/welcome/site"): all_of(WRONG),
    ("GET", "/account"): all_of(SEEN),
    ("GET", "/account/password"): all_of(SEEN),
    ("POST", "/account/password"): all_of(WRONG),
    ("POST", "/account/sessions/{number}/end"): all_of(GONE),
    ("POST", "/account/sessions/end-others"): all_of(GONE),
    ("GET", "/account/second-factor"): all_of(SEEN),
    ("POST", "/account/second-factor"): all_of(WRONG),
    ("POST", "/account/second-factor/codes"): all_of(WRONG),
    ("POST", "/account/second-factor/end"): all_of(WRONG),
    ("GET", "/account/delete"): all_of(SEEN),
    ("POST", "/account/delete"): all_of(WRONG),
    ("GET", "/organisations/new"): all_of(SEEN),
    ("GET", "/ops"): all_of(HIDDEN),
    ("GET", "/ops/snapshot"): all_of(HIDDEN),
    ("GET", "/ops/stacks"): all_of(HIDDEN),
    ("POST", "/organisations"): all_of(WRONG),
}
ALL = {**ON_SITE, **ON_ORGANISATION, **BY_KEY, **BY_LINK, **OWN}
FIELDS = {
    "email": "nowhere",
    "password": "wrong password",
    "old_password": "wrong password",
    "timezone": "Mars/Olympus",
    "domain": "-",
    "role": "viewer",
    "name": "\x00",
    "scope": "root",
    "confirm": "no",
    "public": "no",
    "code": "x",
    "first": "yesterday",
}
# What a form may say where nothing comes of it.
NAMED = {("POST", f"{ORG}/name"): "Acme", ("POST", f"{ORG}/members/{{user}}/role"): "viewer"}


@dataclass
class World:
    """A server with one organisation's site, its people, and another organisation's site."""

    server: Turnout
    clients: dict[str, httpx.Client]
    keys: dict[str, str]
    slug: str

    def ask(self, who: str, method: str, path: str, *, is_own: bool) -> httpx.Response:
        filled = (
            path.replace("{domain}", "acme.example" if is_own else "other.example")
            .replace("{organisation_id}", "1" if is_own else "2")
            .replace("{token}", "x" * 43)
            .replace("{number}", "999")
            .replace("{user}", "999")
            .replace("{card}", "pages")
            .replace("{slug}", self.slug)
        )
        web = self.clients[who]
        if path.startswith("/api/"):
            body: dict[str, object] = {"site_id": "acme.example" if is_own else "other.example"}
            if path == "/api/v2/query":
                body |= {"metrics": ["visitors"], "date_range": "day"}
            key = self.keys.get(who)
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return web.request(method, filled, json=body if method == "POST" else None, headers=headers)
        if method == "GET":
            with web.stream("GET", filled) as answer:
                is_endless = answer.headers.get("content-type", "").startswith("text/event-stream")
                if not is_endless:
                    answer.read()
                return answer
        fields = {
            **FIELDS,
            "name": NAMED.get((method, path), FIELDS["name"]),
            "_csrf_token": web.cookies["turnout_csrf"],
        }
        return web.post(filled, data=fields)


def sign_in(server: Turnout, who: str) -> httpx.Client:
    web = httpx.Client(base_url=server.url, timeout=30)
    web.get("/login")
    if who != "nobody":
        fields = {
            "email": f"{who}@example.org",
            "password": PASSWORD,
            "_csrf_token": web.cookies["turnout_csrf"],
        }
        assert web.post("/login", data=fields).status_code == 303
    return web


def accept(owner: httpx.Client, who: str, path: str, role: str) -> None:
    """Invites somebody who has an account, and has them accept."""
    csrf = owner.cookies["turnout_csrf"]
    shown = owner.post(path, data={"email": f"{who}@example.org", "role": role, "_csrf_token": csrf})
    link = re.search(r'id="invitation-link"[^>]*>[^<]*(/invitations/[\w-]+)', shown.text)
    assert link is not None, shown.text
    invited = httpx.Client(base_url=owner.base_url, timeout=30)
    invited.get("/login")
    csrf = invited.cookies["turnout_csrf"]
    invited.post("/login", data={"email": f"{who}@example.org", "password": PASSWORD, "_csrf_token": csrf})
    assert invited.post(link.group(1), data={"_csrf_token": csrf}).status_code == 303
    invited.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, make_turnout: type[Turnout]) -> Iterator[World]:
    server = make_turnout(tmp_path_factory.mktemp("routes") / "data")
    for who in ("owner", "other", *PEOPLE[:-1]):
        server.command("user", "create", f"{who}@example.org", "--password-stdin", stdin=PASSWORD + "\n")
    for domain, owner in (("acme.example", "owner"), ("other.example", "other")):
        server.command("site", "create", domain, "--owner", f"{owner}@example.org")
    server.start()
    owner = sign_in(server, "owner")
    for role in ("viewer", "editor", "admin"):
        accept(owner, role, "/organisations/1/invitations", role)
    accept(owner, "guest", "/sites/acme.example/settings/guests", "viewer")
    keys = {}
    for role in ("admin", "owner"):
        with closing(sign_in(server, role)) as web:
            data = {"name": "k", "scope": "stats", "_csrf_token": web.cookies["turnout_csrf"]}
            found = re.search(r'id="new-key"[^>]*>(tk_[\w-]+)', web.post("/organisations/1/keys", data=data).text)
            assert found is not None
            keys[role] = found.group(1)
    # A guest has no key to that organisation, only to an own one; viewers and editors hold what an admin gave them.
    keys["guest"] = server.command("key", "create", "--owner", "guest@example.org")
    keys["viewer"] = keys["editor"] = keys["admin"]
    csrf = owner.cookies["turnout_csrf"]
    data = {"name": "The board", "password": PASSWORD, "_csrf_token": csrf}
    assert owner.post("/sites/acme.example/settings/links", data=data).status_code == 303
    slug = re.search(r"/share/([\w-]+)", owner.get("/sites/acme.example/settings").text)
    assert slug is not None
    yield World(server, {}, keys, slug.group(1))
    owner.close()
    assert server.stop() == 0


def routes() -> set[tuple[str, str]]:
    nothing = dict.fromkeys(Services.__dataclass_fields__)
    services = Services(**{**nothing, "clock": SYSTEM_CLOCK, "settings": Settings()})  # type: ignore[arg-type]
    return {
        (method, re.sub(r":[a-z]+\}", "}", route.path_format))
        for route in make_app(services, "0" * 32).routes
        for method in getattr(route, "methods", ())
        if method not in ("OPTIONS", "HEAD") and not route.path.startswith((*FREE, "/static"))
    }


def test_every_route_has_its_line() -> None:
    assert routes() == set(ALL)


def test_every_line_has_its_workload() -> None:
    named = {line for lines in ROUTES.values() for line in lines}
    beside = {line for line in named if "/static" in line or "/api/docs" in line}
    assert {f"{method} {path}" for method, path in ALL} == named - beside


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_is_theirs_and_no_more(world: World, who: str) -> None:
    world.clients[who] = sign_in(world.server, who)
    for (method, path), expected in ALL.items():
        answer = world.ask(who, method, path, is_own=True)
        assert answer.status_code == expected[WHO.index(who)], (method, path, who)
        if answer.status_code == LOGIN and who == "nobody" and path not in ("/", "/logout", "/login/code"):
            assert answer.headers["location"].startswith("/login"), (method, path)
        assert_guarded(answer)
        if path == "/logout":
            world.clients[who].close()
            world.clients[who] = sign_in(world.server, who)
    world.clients[who].close()


def assert_guarded(answer: httpx.Response) -> None:
    """Whatever the page is: nothing inline runs on it, nobody frames it but shared numbers, and no cache keeps it."""
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    if not answer.url.path.startswith("/share/"):
        assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert re.search(r"<style|<script(?![^>]* src=)|<[^>]+ (style|on[a-z]+)=", answer.text) is None, answer.url


@pytest.mark.parametrize("who", PEOPLE)
def test_what_is_anothers_is_not_there(world: World, who: str) -> None:
    world.clients[who] = sign_in(world.server, who)
    for method, path in (*ON_SITE, *ON_ORGANISATION, *BY_KEY):
        answer = world.ask(who, method, path, is_own=False)
        assert answer.status_code == HIDDEN, (method, path, who, answer.text[:400])
        # And it reads as what does not exist at all reads.
        missing = world.clients[who].get("/sites/nowhere.example")
        if (method, path) == ("GET", SITE):
            assert answer.text.replace("other.example", "nowhere.example") == missing.text
    world.clients[who].close()


def test_nobody_can_tell_a_private_site_from_none(world: World) -> None:
    with closing(sign_in(world.server, "nobody")) as web:
        answers = [web.get(f"/sites/{domain}") for domain in ("acme.example", "nowhere.example")]
    assert [(answer.status_code, answer.headers["location"].partition("?")[0]) for answer in answers] == [
        (303, "/login"),
        (303, "/login"),
    ]
