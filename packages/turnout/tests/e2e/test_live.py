from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import SiteOnServer
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
def page(chromium: Browser, site: SiteOnServer) -> Iterator[Page]:
    """The site's page, of its owner."""
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site.server.address}/login")
    page.get_by_label("E-mail").fill(site.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sites")
    page.goto(f"{site.server.address}/sites/{site.domain}")
    yield page
    assert complaints == []
    context.close()


def test_the_first_event_is_seen_as_it_comes_and_then_counted_live(page: Page, site: SiteOnServer) -> None:
    page.get_by_text("Waiting for the first visit").wait_for()
    site.send("/", visitor="198.51.100.1", agent=CHROME)
    page.get_by_text("We have seen your first event.").wait_for()
    page.get_by_role("link", name="Open the dashboard").click()
    page.locator(".heads").wait_for()
    count = page.locator("[data-live-count]")
    count.get_by_text("1", exact=True).wait_for()
    site.send("/", visitor="198.51.100.2", agent=CHROME)
    count.get_by_text("2", exact=True).wait_for()


def test_a_filter_is_made_from_suggestions(page: Page, site: SiteOnServer) -> None:
    for visitor, path in enumerate(["/launch", "/launch", "/launch/notes", "/pricing"], start=1):
        site.send(path, visitor=f"198.51.100.{visitor}", agent=CHROME)
    site.wait_for_events(4)
    page.reload()
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Show only where").select_option("Page")
    page.get_by_role("combobox", name="Value", exact=True).fill("LAUN")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    page.get_by_role("option", name="/launch/notes").wait_for()
    assert options.all_inner_texts() == ["/launch\n2", "/launch/notes\n1"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.locator(".chip").wait_for()
    assert page.url.endswith("?f=is,event:page,/launch")
    assert page.locator(".head b").first.inner_text() == "2"


def test_a_hidden_tab_lets_its_stream_go(page: Page, site: SiteOnServer) -> None:
    site.send("/", visitor="198.51.100.1", agent=CHROME)
    page.get_by_role("link", name="Open the dashboard").click()
    page.locator("[data-live-count]").get_by_text("1", exact=True).wait_for()
    page.evaluate(
        """() => {
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    )
    with page.expect_request("**/live"):
        page.evaluate(
            """() => {
            Object.defineProperty(document, "hidden", { value: false, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
        )
