"""What people go through with accounts, in a browser: the first run, an invitation, a second factor, sharing, a phone."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp
import pytest
from serving import Turnout

if TYPE_CHECKING:
    from conftest import SiteOnServer
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"
OWN = "a long password of my own"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
def open_tab(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """A browser of its own for each person, whose complaints about a page fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def tab(**options: object) -> Page:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield tab
    for context in contexts:
        context.close()
    # A browser reports every answer of 400 and above by itself; those are what some of these tests are about.
    assert [said for said in complaints if not said.startswith(("Failed to load resource", "Framing"))] == []


def sign_in(page: Page, site: SiteOnServer, email: str = "", password: str = PASSWORD) -> None:
    page.goto(f"{site.server.address}/login")
    page.get_by_label("E-mail").fill(email or site.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_the_first_run_leads_from_the_printed_link_to_the_first_event(
    open_tab: Callable[..., Page], tmp_path: Path
) -> None:
    server = Turnout(tmp_path / "data").start()
    try:
        link = re.search(r"first account: (\S+)", server.log.read_text())
        assert link is not None
        page = open_tab(timezone_id="America/New_York")
        page.goto(link.group(1))
        page.get_by_label("E-mail").fill("ada@example.org")
        page.get_by_label("Password").fill(OWN)
        page.get_by_role("button", name="Create the account").click()
        page.get_by_label("Organisation").fill("Acme")
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Domain").fill("acme.example")
        assert page.get_by_label("Time zone").input_value() == "America/New_York"
        page.get_by_role("button", name="Add the site").click()
        page.get_by_text("Waiting for the first visit").wait_for()
        snippet = page.locator("pre.snippet, .copyable code").first.inner_text()
        assert f'data-domain="acme.example" src="{server.url}/js/script.js"' in snippet
        assert page.get_by_role("button", name="Copy").is_visible()
        event = {"n": "pageview", "u": "https://acme.example/", "d": "acme.example"}
        assert server.send(event, address="198.51.100.7").status_code == 202
        page.get_by_text("We have seen your first event.").wait_for()
        page.goto(f"{server.url}/account")
        assert page.get_by_role("link", name="Acme").is_visible()
    finally:
        server.stop()


def test_somebody_is_invited_accepts_and_sees_what_a_viewer_sees(
    open_tab: Callable[..., Page], site: SiteOnServer
) -> None:
    owner = open_tab()
    sign_in(owner, site)
    owner.get_by_label("Your account").click()
    owner.get_by_role("link", name="Account and organisations").click()
    owner.get_by_role("link", name=site.email).click()
    owner.get_by_label("E-mail").fill("New.Colleague@Example.org")
    owner.get_by_label("Role", exact=True).select_option("viewer")
    owner.get_by_role("button", name="Invite").click()
    link = owner.locator("#invitation-link").inner_text()
    guest = open_tab()
    guest.goto(link)
    assert guest.get_by_text(f"{site.email} invites new.colleague@example.org").is_visible()
    guest.get_by_label("Choose a password for new.colleague@example.org").fill("short")
    guest.get_by_role("button", name="Accept").click()
    guest.get_by_text("expected 10 to 1000 characters").wait_for()
    guest.get_by_label("Choose a password for new.colleague@example.org").fill(OWN)
    guest.get_by_role("button", name="Accept").click()
    guest.get_by_text("Welcome. You are in.").wait_for()
    guest.get_by_role("link", name=site.domain).click()
    guest.get_by_text("Waiting for the first visit").wait_for()
    answer = guest.goto(f"{site.server.address}/sites/{site.domain}/settings")
    assert answer is not None
    assert answer.status == 403
    assert guest.get_by_text("ask an admin or owner").is_visible()
    # Used up; and out again at once when the owner says so.
    again = open_tab()
    used = again.goto(link)
    assert used is not None
    assert used.status == 404
    owner.goto(owner.url.removesuffix("/invitations"))
    owner.get_by_role("button", name="Remove new.colleague@example.org").click()
    owner.get_by_text("The member is out.").wait_for()
    gone = guest.goto(f"{site.server.address}/sites/{site.domain}")
    assert gone is not None
    assert gone.status == 404


def test_a_second_factor_is_turned_on_asked_for_and_replaced_by_a_recovery_code(
    open_tab: Callable[..., Page], site: SiteOnServer
) -> None:
    page = open_tab()
    sign_in(page, site)
    page.goto(f"{site.server.address}/account")
    page.get_by_role("link", name="Turn on the second factor").click()
    assert page.locator(".qr-frame svg").is_visible()
    app = pyotp.TOTP(page.locator("#totp-secret").inner_text().replace(" ", ""))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("The code that the app shows now").fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_text("that is not the code of now").wait_for()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("The code that the app shows now").fill(app.now())
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator("#recovery-codes").inner_text().split()
    assert len(codes) == 10
    other = open_tab()
    sign_in(other, site)
    other.get_by_role("heading", name="Your code").wait_for()
    assert other.goto(f"{site.server.address}/sites") is not None
    assert other.url.endswith("/login?next=%2Fsites")
    sign_in(other, site)
    # The next step's code: that of the present one is used up by the confirmation.
    other.get_by_label("Code").fill(app.at(int(time.time()) + 30))
    other.get_by_role("button", name="Go on").click()
    other.wait_for_url("**/sites")
    third = open_tab()
    sign_in(third, site)
    third.get_by_label("Code").fill(codes[0])
    third.get_by_role("button", name="Go on").click()
    third.wait_for_url("**/sites")
    third.goto(f"{site.server.address}/account")
    assert third.get_by_text("9 recovery codes left").is_visible()
    third.get_by_role("button", name="End all others").click()
    third.get_by_text("Your other sessions have ended.").wait_for()
    other.goto(f"{site.server.address}/sites")
    assert "/login" in other.url


def test_a_link_with_a_password_shows_nothing_without_it(open_tab: Callable[..., Page], site: SiteOnServer) -> None:
    site.send("/launch", visitor="198.51.100.1", agent=CHROME)
    site.wait_for_events(1)
    owner = open_tab()
    sign_in(owner, site)
    owner.goto(f"{site.server.address}/sites/{site.domain}/settings")
    owner.get_by_label("Whom it is for").fill("The board")
    owner.get_by_label("Password (none: leave empty)").fill(OWN)
    owner.get_by_role("button", name="Make a link").click()
    owner.get_by_text("The link is made.").wait_for()
    link = owner.locator("#links .link-row code").first.inner_text()
    board = open_tab()
    for below in ("", "/details/pages", "/details/pages.csv", "/cards/chart", "/export.zip", "/live", "/suggest"):
        answer = board.request.get(link + below)
        assert answer.status in (400, 401), (below, answer.status)
        assert site.domain not in answer.text()
    board.goto(link)
    board.get_by_label("Password").fill("not this one")
    board.get_by_role("button", name="Show them").click()
    board.get_by_text("that is not the password").wait_for()
    board.get_by_label("Password").fill(OWN)
    board.get_by_role("button", name="Show them").click()
    board.get_by_role("link", name="/launch").wait_for()
    assert board.locator(".top").get_by_role("link", name=site.domain).is_visible()
    board.locator("#pages").get_by_role("link", name="Details of Pages").click()
    board.wait_for_url("**/share/**/details/pages**")
    owner.get_by_role("button", name="Delete the link The board").click()
    owner.get_by_text("The link no longer works.").wait_for()
    gone = board.goto(link)
    assert gone is not None
    assert gone.status == 404


def test_a_link_without_a_password_stands_in_another_page(open_tab: Callable[..., Page], site: SiteOnServer) -> None:
    site.send("/launch", visitor="198.51.100.1", agent=CHROME)
    site.wait_for_events(1)
    owner = open_tab()
    sign_in(owner, site)
    owner.goto(f"{site.server.address}/sites/{site.domain}/settings")
    owner.get_by_label("Whom it is for").fill("Our front page")
    owner.get_by_role("button", name="Make a link").click()
    owner.locator("#links summary").click()
    frame = owner.locator("#links details code").inner_text()
    elsewhere = open_tab()
    with somebody_elses_page(frame) as address:
        elsewhere.goto(address)
        inside = elsewhere.frame_locator("iframe")
        inside.get_by_role("link", name="/launch").click()
        inside.locator(".chip").wait_for()
        assert inside.locator(".brand").count() == 0
    # What has people signed in can't be framed.
    with somebody_elses_page(f'<iframe src="{site.server.address}/login"></iframe>') as address:
        elsewhere.goto(address)
        assert elsewhere.frame_locator("iframe").get_by_label("E-mail").count() == 0


@contextmanager
def somebody_elses_page(body: str) -> Iterator[str]:
    """Another server's page, under another name of this machine, so that it is another origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    serving.join()
    server.server_close()


def test_a_public_site_is_seen_by_everybody_until_it_is_private_again(
    open_tab: Callable[..., Page], site: SiteOnServer
) -> None:
    site.send("/launch", visitor="198.51.100.1", agent=CHROME)
    site.wait_for_events(1)
    owner, anybody = open_tab(), open_tab()
    address = f"{site.server.address}/sites/{site.domain}"
    anybody.goto(address)
    assert "/login" in anybody.url
    sign_in(owner, site)
    owner.goto(f"{address}/settings")
    owner.get_by_role("button", name="Make it public").click()
    owner.get_by_text("Everybody may see").wait_for()
    anybody.goto(address)
    anybody.get_by_role("link", name="/launch").wait_for()
    assert anybody.get_by_label("Your account").count() == 0
    owner.get_by_role("button", name="Make it private").click()
    owner.get_by_text("Only members, guests and holders").first.wait_for()
    anybody.goto(address)
    assert "/login" in anybody.url


def test_a_forgotten_password_says_the_same_for_everybody(open_tab: Callable[..., Page], site: SiteOnServer) -> None:
    page = open_tab()
    said = []
    for email in (site.email, "nobody@example.org"):
        page.goto(f"{site.server.address}/login")
        page.get_by_role("link", name="Forgotten your password?").click()
        page.get_by_label("E-mail").fill(email)
        page.get_by_role("button", name="Send the link").click()
        page.get_by_role("heading", name="Look at your mail").wait_for()
        said.append(page.locator("main").inner_text().replace(email, "…"))
    assert said[0] == said[1]


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_every_page_of_an_owner_fits_a_phone(open_tab: Callable[..., Page], site: SiteOnServer, script: bool) -> None:
    page = open_tab(viewport={"width": 360, "height": 740}, java_script_enabled=True)
    sign_in(page, site)
    page.wait_for_url("**/sites")
    if not script:
        state = page.context.storage_state()
        page = open_tab(viewport={"width": 360, "height": 740}, java_script_enabled=False, storage_state=state)
    base = site.server.address
    organisation = ""
    for path in ("/sites", "/account", "/account/password", "/account/second-factor", "/account/delete"):
        page.goto(base + path)
        assert page.locator("main").is_visible()
        if path == "/account":
            organisation = page.get_by_role("link", name=site.email).get_attribute("href") or ""
        if script:
            assert no_sideways_scroll(page), path
    for path in (organisation, f"{organisation}/audit", f"/sites/{site.domain}/settings", f"/sites/{site.domain}"):
        page.goto(base + path)
        assert page.locator("main").is_visible()
        if script:
            assert no_sideways_scroll(page), path


def test_the_longest_names_do_not_widen_a_phones_pages(open_tab: Callable[..., Page], site: SiteOnServer) -> None:
    page = open_tab(viewport={"width": 320, "height": 640})
    sign_in(page, site)
    domain = f"{'x' * 63}.{'y' * 63}.example"
    page.goto(f"{site.server.address}/welcome/site")
    page.get_by_label("Domain").fill(domain)
    page.get_by_role("button", name="Add the site").click()
    page.get_by_text("Waiting for the first visit").wait_for()
    assert no_sideways_scroll(page)
    page.goto(f"{site.server.address}/sites/{domain}/settings")
    page.get_by_label("Whom it is for").fill("L" * 80)
    page.get_by_role("button", name="Make a link").click()
    page.get_by_text("The link is made").wait_for()
    assert no_sideways_scroll(page)
