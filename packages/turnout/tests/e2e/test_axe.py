"""Every page in light and dark, and with what opens in it open. A page that is added gets a line in `PAGES`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyotp
import pytest
from serving import Turnout

from turnout.model.countries import NAMES
from turnout.web.page.map import MapValue, draw_map
from turnout.web.templating import make_environment

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import SiteOnServer
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.npm]

PASSWORD = "correct horse battery staple"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
Check = Callable[["Page"], None]


def nothing(page: Page) -> None:
    """The page as it opens."""


def opened(name: str) -> Callable[[Page], None]:
    """With the menu of that name open."""
    return lambda page: page.locator("summary", has_text=name).first.click()


def with_suggestions(page: Page) -> None:
    page.locator("summary", has_text="Filter").first.click()
    page.locator("input[data-suggest]").first.focus()
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")


def with_keys(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


def reading_the_chart(page: Page) -> None:
    page.locator(".picture.wide").hover()


# What is done for a signed-in person: the path ({site} is the site's), and what is done there first.
PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "sites": ("/sites", nothing),
    "a site": ("/sites/{site}", nothing),
    "a site, filtered": ("/sites/{site}?f=is,event:page,/launch&f=is_not,visit:browser,Safari&metric=visits", nothing),
    "a site, the chart read": ("/sites/{site}", reading_the_chart),
    "a site, nothing matches": ("/sites/{site}?f=is,event:page,/nowhere", nothing),
    "a site, the filter open": ("/sites/{site}", opened("Filter")),
    "a site, the period open": ("/sites/{site}", opened("Last 30 days")),
    "a site, suggestions": ("/sites/{site}", with_suggestions),
    "a site, the keys": ("/sites/{site}", with_keys),
    "a site, compared": ("/sites/{site}?compare=previous&period=7d", nothing),
    "a site, the map": ("/sites/{site}?locations=map", nothing),
    "the menu of the account": ("/sites", lambda page: page.get_by_label("Your account").click()),
    "details": ("/sites/{site}/details/pages?f=is,event:page,/launch", nothing),
    "details, nothing found": ("/sites/{site}/details/pages?q=nowhere", nothing),
    "an export": ("/sites/{site}/export.zip", lambda page: page.get_by_text("Download the file").wait_for()),
    "a site's settings": ("/sites/{site}/settings", nothing),
    "the account": ("/account", nothing),
    "a new password": ("/account/password", nothing),
    "a second factor": ("/account/second-factor", nothing),
    "deleting the account": ("/account/delete", nothing),
    "a new organisation": ("/organisations/new", nothing),
    "the welcome": ("/welcome", nothing),
    "the first site": ("/welcome/site", nothing),
    "an address that can't be read": ("/sites/{site}?period=fortnight", nothing),
    "not found": ("/sites/nothing.example", nothing),
}
PUBLIC = {"sign-in": "/login", "a forgotten password": "/forgotten", "not found": "/nowhere"}
MAP = """{% extends "base.html" %}{% from "_map.html" import world_map %}
{% block main %}<section class="card"><h1>Countries</h1>{{ world_map(map) }}</section>{% endblock %}"""


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A tab in a light and in a dark system, without transitions, which axe would see half-way."""
    context = chromium.new_context(color_scheme=request.param, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def find_all(page: Page, check: Check, pages: dict[str, tuple[str, Callable[[Page], None]]]) -> dict[str, str]:
    """What is found, by the page's name; empty where all is well."""
    found = {}
    for name, (address, prepare) in pages.items():
        page.goto(address)
        prepare(page)
        try:
            check(page)
        except AssertionError as failed:
            found[name] = str(failed)
    return found


def test_nothing_keeps_people_out_of_the_pages_of_a_signed_in_person(
    page: Page, site: SiteOnServer, axe_finds_nothing: Check
) -> None:
    page.goto(f"{site.server.address}/login")
    page.get_by_label("E-mail").fill(site.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sites")
    page.goto(f"{site.server.address}/sites/{site.domain}")
    page.get_by_text("Waiting for the first visit").wait_for()
    axe_finds_nothing(page)
    for visitor, path in enumerate(["/launch", "/launch", "/pricing", "/"], start=1):
        site.send(path, visitor=f"198.51.100.{visitor}", agent=CHROME, referrer="https://news.ycombinator.com/")
    site.wait_for_events(4)
    page.get_by_text("We have seen your first event.").wait_for()
    axe_finds_nothing(page)
    pages = {
        name: (site.server.address + path.format(site=site.domain), prepare) for name, (path, prepare) in PAGES.items()
    }
    found = find_all(page, axe_finds_nothing, pages)
    assert not found, found


def test_nothing_keeps_people_out_of_the_public_pages(page: Page, site: SiteOnServer, axe_finds_nothing: Check) -> None:
    pages = {name: (site.server.address + path, nothing) for name, path in PUBLIC.items()}
    found = find_all(page, axe_finds_nothing, pages)
    assert not found, found


def test_nothing_keeps_people_from_the_first_account(page: Page, tmp_path: Path, axe_finds_nothing: Check) -> None:
    server = Turnout(tmp_path / "data").start()
    try:
        link = re.search(r"first account: (\S+)", server.log.read_text())
        assert link is not None
        page.goto(link.group(1))
        axe_finds_nothing(page)
        page.get_by_label("E-mail").fill("ada@example.org")
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Create the account").click()
        page.locator(".error").wait_for()
        axe_finds_nothing(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        page.wait_for_url("**/welcome")
        page.goto(f"{server.url}/ops")
        page.get_by_text("Nothing limits now").wait_for()
        axe_finds_nothing(page)
    finally:
        server.stop()


def test_nothing_keeps_people_out_of_what_is_given_to_others(
    page: Page, site: SiteOnServer, axe_finds_nothing: Check
) -> None:
    base = site.server.address
    page.goto(f"{base}/login")
    page.get_by_label("E-mail").fill(site.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sites")
    page.goto(f"{base}/account")
    page.get_by_role("link", name=site.email).click()
    page.wait_for_url("**/organisations/*")
    organisation = page.url
    page.get_by_label("What it is for").fill("A nightly report")
    page.get_by_role("button", name="Make a key").click()
    page.locator("#new-key").wait_for()
    axe_finds_nothing(page)
    page.goto(organisation)
    page.get_by_label("E-mail").fill("new.colleague@example.org")
    page.get_by_role("button", name="Invite").click()
    invitation = page.locator("#invitation-link").inner_text()
    axe_finds_nothing(page)
    page.goto(f"{organisation}/audit")
    axe_finds_nothing(page)
    page.goto(f"{base}/sites/{site.domain}/settings")
    page.get_by_label("Whom it is for").fill("The board")
    page.get_by_label("Password (none: leave empty)").fill(PASSWORD)
    page.get_by_role("button", name="Make a link").click()
    page.get_by_text("The link is made.").wait_for()
    axe_finds_nothing(page)
    shared = page.locator("#links .link-row code").first.inner_text()
    page.goto(f"{base}/account/second-factor")
    app = pyotp.TOTP(page.locator("#totp-secret").inner_text().replace(" ", ""))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("The code that the app shows now").fill(app.now())
    page.get_by_role("button", name="Turn it on").click()
    page.locator("#recovery-codes").wait_for()
    axe_finds_nothing(page)
    page.goto(f"{base}/account/second-factor")
    axe_finds_nothing(page)
    page.goto(f"{base}/account")
    axe_finds_nothing(page)
    page.context.clear_cookies()
    page.goto(f"{base}/login")
    page.get_by_label("E-mail").fill(site.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Your code").wait_for()
    axe_finds_nothing(page)
    page.goto(invitation)
    axe_finds_nothing(page)
    page.goto(shared)
    axe_finds_nothing(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Show them").click()
    page.get_by_text(site.domain).first.wait_for()
    axe_finds_nothing(page)
    page.goto(f"{base}/forgotten")
    page.get_by_label("E-mail").fill(site.email)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look at your mail").wait_for()
    axe_finds_nothing(page)
    letters = [path.read_bytes() for path in (site.server.data / "outbox").glob("*.eml")]
    (link,) = {
        found
        for letter in letters
        for found in re.findall(rb"http://\S+/reset/[\w-]+", letter)
        if site.email.encode() in letter
    }
    page.goto(link.decode())
    axe_finds_nothing(page)


def test_nothing_keeps_people_out_of_the_map(page: Page, site: SiteOnServer, axe_finds_nothing: Check) -> None:
    rows = [MapValue(code, name, at**3, "1 %", f"?f={code}") for at, (code, name) in enumerate(NAMES.items())]
    html = make_environment().from_string(MAP).render(map=draw_map(rows), principal=None)
    address = f"{site.server.address}/map"
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)
    axe_finds_nothing(page)
