"""The HTML report in a real browser: readable on a wide screen and a phone, light and dark, by everybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import accessibility
import pytest
from made_results import limit, run

from flashcrowd.report.html import drawn
from flashcrowd.report.thresholds import parse

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.npm]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PAGES = {
    "run": drawn(run(260), fail_if=[parse("p95>1ms"), parse("errors>90%")]),
    "void": drawn(run(120, verdict=None, void_reason="sending was 24 ms late at p99")),
    "limit": drawn(limit()),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not os.environ.get("REQUIRE_ALL_TESTS") and not (CHROMIUM.exists() and shutil.which("npm")):
        pytest.skip("Chromium or npm is not installed")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A page that fails the test where its policy forbids something, or it asks for anything from elsewhere."""
    width = 360 if request.param == "phone" else 1280
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if request.param == "dark" else "light"
    )
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith("file:") else None)
    yield tab
    context.close()
    assert complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page: Page, name: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES[name], encoding="utf-8")
    page.goto(file.as_uri())
    for details in page.locator("details > summary").all():
        details.click()
    accessibility.axe_finds_nothing(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_words_of_a_chart_do_not_cover_each_other_on_any_width(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES["run"], encoding="utf-8")
    page.goto(file.as_uri())
    overlaps = page.evaluate(
        """() => [...document.querySelectorAll('.xs, .ys')].flatMap(row => {
            const boxes = [...row.children].map(one => one.getBoundingClientRect()).filter(box => box.width)
            return boxes.flatMap((a, n) => boxes.slice(n + 1)
                .filter(b => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom))
        }).length"""
    )
    assert overlaps == 0
