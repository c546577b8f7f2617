"""The pages and what is around them, over HTTP, as a browser without scripts gets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from serving import Turnout

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="_csrf_token"[^>]*value="([^"]+)"')


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, make_turnout: type[Turnout]) -> Iterator[Turnout]:
    server = make_turnout(tmp_path_factory.mktemp("pages") / "data").prepare().start()
    yield server
    assert server.stop() == 0


def token(page: httpx.Response) -> str:
    found = TOKEN.search(page.text)
    assert found is not None, page.text
    return found.group(1)


def test_the_cookie_is_for_this_server_and_no_script(running: Turnout) -> None:
    with httpx.Client(base_url=running.url) as web:
        form = {"email": EMAIL, "password": PASSWORD, "_csrf_token": token(web.get("/login"))}
        answer = web.post("/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sites")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("turnout_session=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_behind_https_the_cookies_are_bound_to_it(turnout: Turnout, make_turnout: type[Turnout]) -> None:
    server = make_turnout(turnout.data, {"TURNOUT_PUBLIC_URL": "https://stats.example.org"}).prepare().start()
    try:
        page = httpx.get(f"{server.url}/login")
        assert "strict-transport-security" in page.headers
        csrf = page.headers["set-cookie"]
        assert csrf.startswith("__Host-turnout_csrf=")
        assert "secure" in csrf.lower()
        answer = httpx.post(
            f"{server.url}/login",
            data={"email": EMAIL, "password": PASSWORD, "_csrf_token": token(page)},
            headers={"Cookie": csrf.partition(";")[0]},
        )
        session = answer.headers["set-cookie"]
        assert session.startswith("__Host-turnout_session=")
        assert "secure" in session.lower()
        assert "path=/" in session.lower()
    finally:
        assert server.stop() == 0


def test_a_form_without_its_token_is_refused_with_advice(running: Turnout) -> None:
    answer = httpx.post(f"{running.url}/login", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 403
    assert "reload the page" in answer.text
    assert "set-cookie" not in answer.headers or "session" not in answer.headers["set-cookie"]


def test_a_wrong_password_is_told_in_the_form_and_the_address_is_kept(running: Turnout) -> None:
    with httpx.Client(base_url=running.url) as web:
        form = {"email": EMAIL, "password": "not this one", "_csrf_token": token(web.get("/login"))}
        answer = web.post("/login", data=form)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert f'value="{EMAIL}"' in answer.text


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        ("/sites/acme.example?period=7d", "/sites/acme.example?period=7d"),
        ("https://evil.example/", "/sites"),
        ("//evil.example/", "/sites"),
        ("/\\evil.example", "/sites"),
        ("", "/sites"),
    ],
)
def test_after_the_sign_in_one_is_where_one_wanted_to_be_and_never_elsewhere(
    running: Turnout, asked: str, goes_to: str
) -> None:
    with httpx.Client(base_url=running.url) as web:
        page = web.get("/login", params={"next": asked})
        shown = re.search(r'name="next" value="([^"]*)"', page.text)
        assert shown is not None
        form = {"email": EMAIL, "password": PASSWORD, "_csrf_token": token(page), "next": asked}
        assert web.post("/login", data=form).headers["location"] == goes_to


def test_signed_out_one_is_sent_to_the_sign_in_and_back(running: Turnout) -> None:
    answer = httpx.get(f"{running.url}/sites/acme.example?period=7d")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fsites%2Facme.example%3Fperiod%3D7d"


def test_whoever_is_signed_in_already_goes_on_and_never_elsewhere(running: Turnout) -> None:
    with closing(running.signed_in()) as web:
        assert web.get("/login", params={"next": "/account"}).url.path == "/account"
        assert web.get("/login", params={"next": "//evil.example"}).url.path == "/sites"


def test_signing_out_ends_the_session_on_the_server_too(running: Turnout) -> None:
    with closing(running.signed_in()) as web:
        session = dict(web.cookies)
        page = web.get("/sites")
        assert web.post("/logout", data={"_csrf_token": token(page)}).url.path == "/login"
    assert httpx.get(f"{running.url}/sites", cookies=session).status_code == 303


def test_a_site_is_added_and_what_can_not_be_is_told_beside_its_field(running: Turnout) -> None:
    with closing(running.signed_in()) as web:
        csrf = token(web.get("/sites"))
        bad = web.post("/sites", data={"domain": "https://x", "timezone": "UTC", "_csrf_token": csrf})
        assert bad.status_code == 400
        assert "without https://" in bad.text
        good = web.post("/sites", data={"domain": "New.Example", "timezone": "Asia/Kathmandu", "_csrf_token": csrf})
        assert good.url.path == "/sites/new.example"
        assert 'data-domain="new.example"' in good.text.replace("&#34;", '"').replace("&quot;", '"')
        assert "new.example" in web.get("/sites").text


def test_the_first_account_comes_by_the_printed_link(turnout: Turnout) -> None:
    turnout.start()
    link = re.search(r"^first account: (\S+)$", turnout.log.read_text(), re.MULTILINE)
    assert link is not None
    with httpx.Client(follow_redirects=True) as web:
        page = web.get(link.group(1))
        short = {"email": EMAIL, "password": "short", "_csrf_token": token(page)}
        assert "expected 10 to 1000 characters" in web.post(link.group(1), data=short).text
        done = web.post(link.group(1), data={"email": EMAIL, "password": PASSWORD, "_csrf_token": token(page)})
        assert done.url.path == "/welcome"
    assert httpx.get(link.group(1)).status_code == 404
    assert turnout.stop() == 0
    turnout.log.write_text("")
    turnout.start()
    assert "first account" not in turnout.log.read_text()


def test_every_page_has_the_headers_and_no_inline_script_or_style(running: Turnout) -> None:
    with closing(running.signed_in()) as web:
        for path in ("/sites", "/sites/acme.example", "/sites/acme.example?period=nonsense", "/nowhere"):
            page = web.get(path)
            policy = page.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert page.headers["x-content-type-options"] == "nosniff"
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page.text), path


def test_the_script_is_served_with_a_tag_that_saves_sending_it_again(running: Turnout) -> None:
    answer = httpx.get(f"{running.url}/js/script.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    again = httpx.get(f"{running.url}/js/script.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[0-9.e+-]+')


def test_the_metrics_are_openmetrics_and_name_what_operators_need(running: Turnout) -> None:
    answer = httpx.get(f"{running.url}/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    lines = answer.text.splitlines()
    assert lines[-1] == "# EOF"
    series = []
    for line in lines[:-1]:
        if line.startswith("# "):
            assert re.match(r"# (TYPE|UNIT|HELP) (turnout|seawall)_", line)
        else:
            assert LINE.fullmatch(line), line
            series.append(line.rsplit(" ", 1)[0])
    assert len(series) == len(set(series))
    for name in (
        "turnout_events_total",
        "turnout_journal_depth_events",
        "turnout_journal_age_seconds",
        "seawall_pool_busy",
    ):
        assert any(line.startswith(name) for line in series), name


def test_the_start_page_leads_to_the_sites(running: Turnout) -> None:
    assert httpx.get(running.url).headers["location"] == "/sites"
