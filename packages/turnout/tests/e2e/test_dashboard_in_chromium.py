from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import SiteOnServer
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
HACKER_NEWS = "https://news.ycombinator.com/"


@pytest.fixture
def visited(site: SiteOnServer) -> SiteOnServer:
    """A site that four people have visited today: three with Chrome, of whom two came from Hacker News."""
    site.send("/", visitor="198.51.100.1", agent=CHROME, referrer=HACKER_NEWS)
    site.send("/launch", visitor="198.51.100.1", agent=CHROME)
    site.send("/launch", visitor="198.51.100.2", agent=CHROME, referrer=HACKER_NEWS)
    site.send("/", visitor="198.51.100.3", agent=CHROME)
    site.send("/pricing", visitor="198.51.100.4", agent=FIREFOX)
    site.wait_for_events(5)
    return site


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    yield context
    context.close()


def watched(page: Page) -> list[str]:
    """Fills with console errors and warnings, broken security policies among them, and with exceptions."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    return complaints


def sign_in(page: Page, site: SiteOnServer) -> None:
    page.goto(f"{site.server.address}/login")
    page.get_by_label("E-mail").fill(site.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sites")


def headline(page: Page, name: str) -> str:
    return page.locator(".head", has_text=name).locator("b").inner_text()


def rows(page: Page, card: str) -> dict[str, str]:
    table = page.locator(f"#{card} tbody tr")
    return {row.locator("th").inner_text(): row.locator("td.n").inner_text() for row in table.all()}


def test_a_person_signs_in_reads_filters_and_changes_the_period(context: BrowserContext, visited: SiteOnServer) -> None:
    page = context.new_page()
    complaints = watched(page)
    sign_in(page, visited)
    page.get_by_role("link", name=visited.domain).click()
    names = ["Visitors", "Visits", "Page views", "Views a visit", "Bounce rate"]
    assert [headline(page, name) for name in names] == ["4", "4", "5", "1.25", "75\u00a0%"]
    assert rows(page, "pages") == {"/": "2", "/launch": "2", "/pricing": "1"}
    assert rows(page, "sources") == {"Direct / None": "2", "Hacker News": "2"}

    page.locator("#sources").get_by_role("link", name="Hacker News").click()
    page.locator(".chip").wait_for()
    assert page.locator(".chip summary").inner_text() == "Source is Hacker News"
    assert [headline(page, name) for name in names[:3]] == ["2", "2", "3"]
    page.locator("#devices").get_by_role("link", name="Systems").click()
    page.wait_for_url("**devices=os**")
    assert rows(page, "devices") == {"GNU/Linux": "2"}

    page.get_by_text("Last 30 days", exact=True).first.click()
    page.get_by_role("link", name="Yesterday").click()
    page.get_by_text("Nothing matches in this period.").wait_for()
    assert headline(page, "Visitors") == "0"
    assert "f=is,visit:source,Hacker%20News" in page.url
    page.go_back()
    assert headline(page, "Visitors") == "2"

    page.get_by_role("link", name="Remove the filter Source is Hacker News").click()
    page.locator(".chip").wait_for(state="detached")
    page.locator(".head", has_text="Visits").first.click()
    page.wait_for_url("**metric=visits**")
    assert page.locator("#chart-title").inner_text().startswith("Visits by day")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    assert complaints == []


def test_all_of_it_works_without_javascript(chromium: Browser, visited: SiteOnServer) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, visited)
    page.goto(f"{visited.server.address}/sites/{visited.domain}")
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Show only where").select_option("Browser")
    page.get_by_label("Value", exact=True).fill("Firefox")
    page.get_by_role("button", name="Add the filter").click()
    page.locator(".chip").wait_for()
    assert page.url.endswith("?f=is,visit:browser,Firefox")
    assert headline(page, "Visitors") == "1"
    assert page.locator("svg.picture.wide .line").count() > 0
    page.locator("summary", has_text="Last 30 days").click()
    page.get_by_label("From", exact=True).fill("2026-01-01")
    page.get_by_label("To", exact=True).fill("2026-01-31")
    page.get_by_role("button", name="Show these days").click()
    page.get_by_text("Nothing matches in this period.").wait_for()
    assert page.locator(".chip").count() == 1
    context.close()


def test_a_new_site_shows_the_line_that_counts(context: BrowserContext, site: SiteOnServer) -> None:
    page = context.new_page()
    complaints = watched(page)
    sign_in(page, site)
    page.get_by_label("Domain").fill(f"new.{site.domain}")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Add the site").click()
    page.goto(f"{site.server.address}/sites/new.{site.domain}")
    line = page.locator(".snippet").inner_text()
    assert f'data-domain="new.{site.domain}"' in line
    assert f'src="{site.server.address}/js/script.js"' in line
    assert complaints == []


def test_an_address_that_cannot_be_read_says_which_part(context: BrowserContext, visited: SiteOnServer) -> None:
    page = context.new_page()
    sign_in(page, visited)
    address = f"{visited.server.address}/sites/{visited.domain}"
    answer = page.goto(f"{address}?period=fortnight&metric=visits")
    assert answer is not None
    assert answer.status == 400
    assert "period: expected one of today" in page.locator("main").inner_text()
    page.get_by_role("link", name="Show the page without it").click()
    page.locator(".heads").wait_for()
    assert page.url == f"{address}?metric=visits"


def test_a_site_of_someone_else_is_not_found(context: BrowserContext, visited: SiteOnServer) -> None:
    page = context.new_page()
    sign_in(page, visited)
    answer = page.goto(f"{visited.server.address}/sites/someone-elses.example")
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(scheme: str, chromium: Browser, visited: SiteOnServer) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    complaints = watched(page)
    sign_in(page, visited)
    page.goto(f"{visited.server.address}/sites/{visited.domain}?f=contains,event:page,/")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("summary", has_text="Last 30 days").click()
    assert page.get_by_role("link", name="Year to date").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert complaints == []
    context.close()


WORDS = ("Filter", "Compare", "Last 30 days", "A", "O", "Visitors", "Visits")


def test_the_keyboard_reaches_everything_in_reading_order(context: BrowserContext, visited: SiteOnServer) -> None:
    page = context.new_page()
    sign_in(page, visited)
    page.goto(f"{visited.server.address}/sites/{visited.domain}")
    seen = []
    for _ in range(18):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim().split('\\n')[0]"))
    assert seen[0] == "Skip to the content"
    assert [word for word in seen if word in WORDS] == [
        "Filter",
        "Compare",
        "Last 30 days",
        visited.email[0].upper(),
        "Visitors",
        "Visits",
    ]
