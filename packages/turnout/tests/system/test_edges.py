"""What lies beside the usual path: odd methods, headers, names and numbers; forms after a change of the key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pyotp
import pytest
from serving import until

if TYPE_CHECKING:
    from serving import Turnout

OPERATIONS = ("/api/health", "/health/live", "/health/ready", "/metrics", "/js/script.js", "/js/script.hash.js")
TOKEN = re.compile(r'name="_csrf_token"[^>]*value="([^"]+)"')
TOO_LARGE = 2**63


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, make_turnout: type[Turnout]) -> Iterator[Turnout]:
    server = make_turnout(tmp_path_factory.mktemp("edges") / "data").prepare().start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def token(page: httpx.Response) -> str:
    found = TOKEN.search(page.text)
    assert found is not None, page.text
    return found.group(1)


@pytest.mark.parametrize("path", OPERATIONS)
def test_operations_and_the_script_are_only_read(running: Turnout, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        refused = httpx.request(method, running.url + path)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    read, head = httpx.get(running.url + path), httpx.head(running.url + path)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    assert head.headers["content-type"] == read.headers["content-type"]


@pytest.mark.parametrize("named", ["{tag}", "W/{tag}", '"other", {tag}', '"a", W/"b", W/{tag}', "*"])
def test_a_browser_that_has_the_script_is_not_sent_it_again(running: Turnout, named: str) -> None:
    tag = httpx.get(f"{running.url}/js/script.js").headers["etag"]
    answer = httpx.get(f"{running.url}/js/script.js", headers={"If-None-Match": named.format(tag=tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    other = httpx.get(f"{running.url}/js/script.js", headers={"If-None-Match": '"other", W/"x"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/organisations/{TOO_LARGE}",
        f"/organisations/1/members/{TOO_LARGE}/remove",
        f"/organisations/1/keys/{TOO_LARGE}/delete",
        f"/organisations/1/invitations/{TOO_LARGE}/withdraw",
        f"/account/sessions/{TOO_LARGE}/end",
        f"/sites/acme.example/settings/links/{TOO_LARGE}/delete",
        f"/sites/acme.example/settings/guests/{TOO_LARGE}/remove",
        "/static/%00",
        "/sites/%00",
        "/share/%00",
        "/organisations/-1",
    ],
)
def test_a_number_or_name_that_nothing_can_have_is_not_there(running: Turnout, path: str) -> None:
    with closing(running.signed_in()) as web:
        csrf = token(web.get("/account/delete"))
        is_form = path.count("/") > 3
        answer = web.post(path, data={"_csrf_token": csrf}) if is_form else web.get(path)
        assert answer.status_code == 404, answer.text


def test_a_page_that_says_nothing_else_is_not_kept(running: Turnout) -> None:
    for path in ("/login", "/nowhere", "/forgotten", "/reset/x"):
        assert httpx.get(running.url + path).headers["cache-control"] == "no-store"
    with closing(running.signed_in()) as web:
        assert web.get("/sites/other.example").headers["cache-control"] == "no-store"
        sheet = re.search(r'href="(/static/[^"]+\.css[^"]*)"', web.get("/sites").text)
        assert sheet is not None
        assert "immutable" in web.get(sheet.group(1)).headers["cache-control"]


def test_forms_work_again_after_the_key_of_their_cookies_has_changed(turnout: Turnout) -> None:
    turnout.prepare().start()
    with httpx.Client(base_url=turnout.url) as web:
        web.get("/login")
        assert turnout.stop() == 0
        (turnout.data / "csrf.key").unlink()
        turnout.start()
        form = {"email": "ada@example.org", "password": "correct horse battery"}
        refused = web.post("/login", data={**form, "_csrf_token": token(web.get("/login"))})
        assert refused.status_code == 403
        assert "reload the page and send it again" in refused.text
        assert web.post("/login", data={**form, "_csrf_token": token(web.get("/login"))}).status_code == 303


def test_a_cookie_of_forms_that_is_good_is_kept_when_a_form_is_refused(running: Turnout) -> None:
    with httpx.Client(base_url=running.url) as web:
        web.get("/login")
        assert "set-cookie" not in web.post("/login", data={"email": "ada@example.org"}).headers


def test_the_apis_page_lists_its_operations_and_stands_within_the_policy(running: Turnout) -> None:
    page = httpx.get(f"{running.url}/api/docs")
    assert page.status_code == 200
    assert "POST /api/v2/query" in page.text
    assert "/sites" not in re.findall(r"<code>([^<]+)</code>", page.text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|https?://", page.text)
    described = re.search(r'href="([^"]+openapi.json)"', page.text)
    assert described is not None
    assert httpx.get(running.url + described.group(1)).json()["paths"]["/api/v2/query"]["post"]
    assert httpx.get(f"{running.url}/api/docs/swagger").status_code == 404


def test_whoever_asks_for_anothers_letter_does_not_choose_where_its_link_leads(running: Turnout) -> None:
    with httpx.Client(base_url=running.url, headers={"Host": "evil.example"}) as web:
        asked = {"email": "ada@example.org", "_csrf_token": token(web.get("/forgotten"))}
        assert web.post("/forgotten", data=asked).status_code == 200
    outbox = running.data / "outbox"
    until(lambda: bool(list(outbox.glob("*.eml"))), "the letter")
    (letter,) = [path.read_text() for path in outbox.glob("*.eml")]
    assert f"\n{running.url}/reset/" in letter
    assert "evil" not in letter


def test_a_page_can_be_asked_for_by_head(running: Turnout) -> None:
    page = httpx.head(f"{running.url}/login")
    assert (page.status_code, page.content) == (200, b"")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert httpx.head(f"{running.url}/nowhere").status_code == 404
    assert httpx.head(f"{running.url}/sites").status_code == 303


def test_a_method_that_a_page_does_not_know_is_told_those_that_it_does(running: Turnout) -> None:
    with httpx.Client(base_url=running.url) as web:
        csrf = token(web.get("/login"))
        refused = web.put("/login", headers={"x-csrftoken": csrf})
    assert refused.status_code == 405
    assert "There is no page here" in refused.text
    assert {"GET", "POST"} <= set(refused.headers["allow"].split(", "))


@pytest.mark.parametrize("host", ["x:99999999", "[", "x:port"])
def test_a_host_that_is_none_is_refused(running: Turnout, host: str) -> None:
    for path in ("/login", "/share/x", "/sites", "/static/none.css"):
        assert httpx.get(running.url + path, headers={"Host": host}).status_code == 400


def test_headers_without_end_are_refused(running: Turnout) -> None:
    answer = httpx.get(f"{running.url}/login", headers={"Cookie": "a=" + "b" * 40_000})
    assert answer.status_code == 431
    assert "cookies" in answer.text


def test_a_second_factor_is_turned_on_for_the_password_alone(running: Turnout) -> None:
    with closing(running.signed_in()) as web:
        page = web.get("/account/second-factor")
        secret = re.search(r'<code id="totp-secret"[^>]*>([^<]+)</code>', page.text)
        assert secret is not None
        code = pyotp.TOTP(secret.group(1).replace(" ", "")).now()
        refused = web.post("/account/second-factor", data={"code": code, "_csrf_token": token(page)})
        assert refused.status_code == 400
        assert "that is not your password" in refused.text
        assert "Turn on a second factor" in web.get("/account/second-factor").text
