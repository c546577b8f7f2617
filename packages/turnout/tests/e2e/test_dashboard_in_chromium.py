from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

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
    return {row.locator("th").inner_text(): row.locator("td.n").first.inner_text() for row in table.all()}


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


def open_site(page: Page, site: SiteOnServer, query: str = "") -> None:
    sign_in(page, site)
    page.goto(f"{site.server.address}/sites/{site.domain}{query}")


def test_a_filter_is_edited_extended_and_removed_without_scripts(chromium: Browser, visited: SiteOnServer) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    open_site(page, visited, "?period=today&f=is,visit:browser,Firefox&f=is,event:page,/pricing")
    assert headline(page, "Visitors") == "1"
    page.locator(".chip summary").first.click()
    form = page.get_by_role("form", name="Change the filter Browser is Firefox")
    form.get_by_label("or another value").fill("Chrome")
    form.get_by_role("button", name="Change the filter").click()
    page.get_by_text("Browser is Firefox or Chrome", exact=True).wait_for()
    assert page.url.endswith("?period=today&f=is,visit:browser,Firefox,Chrome&f=is,event:page,/pricing")

    page.locator(".chip summary").nth(1).click()
    form = page.get_by_role("form", name="Change the filter Page is /pricing")
    form.get_by_label("Test").select_option("is not")
    form.get_by_role("button", name="Change the filter").click()
    page.get_by_text("Page is not /pricing", exact=True).wait_for()
    assert headline(page, "Visitors") == "3"
    page.get_by_role("link", name="Remove all").click()
    page.locator(".chip").first.wait_for(state="detached")
    assert page.url.endswith("?period=today")
    context.close()


def test_a_comparison_is_chosen_shown_and_ended(context: BrowserContext, visited: SiteOnServer) -> None:
    page = context.new_page()
    complaints = watched(page)
    open_site(page, visited, "?period=7d")
    page.locator("summary", has_text="Compare").click()
    page.get_by_role("link", name="Previous period").click()
    page.wait_for_url("**compare=previous**")
    assert page.locator(".head", has_text="Visitors").locator(".change").inner_text().startswith("▲")
    assert page.locator(".head", has_text="Visitors").locator(".change").text_content() == "▲up new"
    assert page.locator("svg.wide .before").count() == 1
    page.get_by_text("Show as a table").click()
    assert page.locator(".numbers thead th").all_inner_texts() == [
        "Time",
        "Visitors",
        "Compared with",
        "Visitors then",
    ]
    assert "new from 0" in str(page.locator("#devices .row").first.get_attribute("title"))
    page.locator("summary", has_text="Compare").click()
    page.get_by_role("link", name="No comparison").click()
    page.wait_for_url("**?period=7d")
    assert page.locator(".change").count() == 0
    assert complaints == []


def test_dragging_over_the_chart_zooms_and_back_returns(context: BrowserContext, visited: SiteOnServer) -> None:
    page = context.new_page()
    sign_in(page, visited)
    page.goto(f"{visited.server.address}/sites/{visited.domain}?metric=visits")
    box = page.locator(".picture.wide").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=**to=**")
    first, last = (date.fromisoformat(found) for found in re.findall(r"(?:from|to)=([\d-]+)", page.url))
    assert 4 <= (last - first).days <= 8
    assert "metric=visits" in page.url
    assert page.locator("#chart-title").inner_text().startswith("Visits by day")
    page.go_back()
    page.get_by_text("Last 30 days", exact=True).first.wait_for()


def test_a_day_is_drawn_by_minute_and_the_arrow_leads_to_the_day_before(
    context: BrowserContext, visited: SiteOnServer
) -> None:
    page = context.new_page()
    complaints = watched(page)
    open_site(page, visited, "?period=today")
    page.get_by_role("link", name="Minutes").click()
    page.wait_for_url("**interval=minute**")
    assert page.locator("#chart-title").inner_text().startswith("Visitors by minute")
    page.get_by_role("link", name="Earlier: Yesterday").click()
    page.wait_for_url("**period=yesterday**")
    page.get_by_role("link", name="Later: Today").click()
    page.wait_for_url("**period=today**")
    assert headline(page, "Visitors") == "4"
    page.locator("summary", has_text="Today").click()
    page.get_by_role("link", name="Realtime").click()
    page.wait_for_url("**period=realtime**")
    assert headline(page, "Visitors") == "4"
    assert complaints == []


def test_details_are_searched_sorted_and_saved(context: BrowserContext, visited: SiteOnServer, tmp_path: Path) -> None:
    page = context.new_page()
    complaints = watched(page)
    open_site(page, visited, "?period=today")
    page.locator("#pages").get_by_role("link", name="Details").click()
    page.wait_for_url("**/details/pages?period=today")
    names = page.locator(".details tbody th")
    assert names.all_inner_texts() == ["/", "/launch", "/pricing"]
    page.get_by_role("link", name="Page", exact=True).click()
    page.wait_for_url("**sort=name")
    page.get_by_role("link", name="Page", exact=True).click()
    page.wait_for_url("**sort=name&order=desc**")
    assert names.all_inner_texts() == ["/pricing", "/launch", "/"]
    page.get_by_label("Search Page").fill("LAUN")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**q=LAUN**")
    assert names.all_inner_texts() == ["/launch"]
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download as CSV").click()
    saved.value.save_as(tmp_path / "pages.csv")
    assert (tmp_path / "pages.csv").read_bytes() == b"page,visitors,pageviews\r\n/launch,2,2\r\n"
    assert saved.value.suggested_filename.startswith(f"{visited.domain}-pages-top-20")
    page.get_by_role("link", name="/launch").click()
    page.get_by_text("Page is /launch", exact=True).wait_for()
    assert page.url.endswith(f"/sites/{visited.domain}?period=today&f=is,event:page,/launch")
    page.get_by_role("link", name="Export all of it as CSV").click()
    page.wait_for_url("**/exports/*")
    with page.expect_download() as saved:  # the page moves on by itself until the file is there
        page.get_by_role("link", name="Download the file").click()
    saved.value.save_as(tmp_path / "all.zip")
    assert b"/launch,2,2" in ZipFile(tmp_path / "all.zip").read("pages-top.csv")
    assert complaints == []


def test_events_are_opened_to_their_properties(context: BrowserContext, visited: SiteOnServer) -> None:
    visited.send("/", visitor="198.51.100.1", agent=CHROME, name="Signup", props={"plan": "pro", "seats": "3"})
    visited.send("/", visitor="198.51.100.2", agent=CHROME, name="Signup", props={"plan": "free"})
    visited.wait_for_events(7)
    page = context.new_page()
    complaints = watched(page)
    open_site(page, visited, "?period=today")
    assert page.locator("#events tbody tr").inner_text().split() == ["Signup", "2", "2", "50", "%"]
    page.locator("#events").get_by_role("link", name="Signup").click()
    page.get_by_text("2 visitors, 2 times, 50").wait_for()
    assert set(rows(page, "events")) == {"pro", "free"}
    page.locator("#events").get_by_role("link", name="seats").click()
    page.wait_for_url("**prop=seats**")
    assert set(rows(page, "events")) == {"3", "(none)"}
    page.locator("#events").get_by_role("link", name="Filter by it").click()
    page.get_by_text("Event is Signup", exact=True).wait_for()
    assert headline(page, "Visitors") == "2"
    page.locator("#events").get_by_role("link", name="All events").click()
    page.wait_for_url(lambda address: "event=Signup" not in address)
    assert complaints == []
