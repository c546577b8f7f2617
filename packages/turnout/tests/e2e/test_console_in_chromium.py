"""Seawall's console in a browser, over a program whose threads and tasks really wait (tools/knot.py)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from serving import free_port, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
KNOT = Path(__file__).parents[4] / "tools" / "knot.py"


@pytest.fixture(scope="module")
def knot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the console of a program in trouble."""
    port = free_port()
    log = tmp_path_factory.mktemp("knot") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, KNOT, str(port)], stdout=output, stderr=output)
    base = f"http://127.0.0.1:{port}/"

    def is_tied() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return "long hold" in httpx.get(base, timeout=30).text
        except httpx.TransportError:
            return False

    try:
        until(is_tied, "the knot")
        yield base
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A tab that fails the test with what the browser complains of, as a policy that forbids something."""
    size = {"width": 390, "height": 760} if request.param == "phone" else {"width": 1280, "height": 800}
    scheme = "dark" if request.param == "dark" else "light"
    context = chromium.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    context.close()
    assert not complaints


def test_a_stack_opens_on_a_click_and_stays_while_the_page_looks_again(page: Page, knot: str) -> None:
    page.goto(knot)
    blamed = page.locator("#now .tree").first
    assert blamed.locator(".queue").first.inner_text() == "accounts held by thread checkout-1"
    assert "task POST /pay #5" in blamed.inner_text()
    before = blamed.locator("li").first.inner_text()
    blamed.get_by_role("link", name="thread checkout-1").first.click()
    panel = page.locator("#stacks")
    panel.get_by_text("in slow_statement").wait_for()
    assert page.evaluate("document.activeElement.id") == "stacks"
    page.wait_for_function("text => document.querySelector('#now li').innerText !== text", arg=before)
    assert panel.is_visible()
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")


def test_what_is_open_stays_open_and_in_focus_and_a_paused_page_stands_still(page: Page, knot: str) -> None:
    page.goto(knot)
    deadlock = page.locator("summary", has_text="deadlock")
    deadlock.focus()
    page.keyboard.press("Enter")
    shown = page.locator("details[open] h3")
    shown.first.wait_for()
    assert sorted(shown.all_inner_texts()) == ["thread transfer-1", "thread transfer-2"]
    before = page.locator("#now li").first.inner_text()
    page.wait_for_function("text => document.querySelector('#now li').innerText !== text", arg=before)
    page.wait_for_function("document.activeElement.localName === 'summary'")
    assert page.locator("details[open]").count() == 1
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_role("button", name="Pause").get_attribute("aria-pressed") == "true"


def test_the_level_is_chosen_in_the_page(page: Page, knot: str) -> None:
    page.goto(knot)
    for level in ("timed", "watched"):
        page.get_by_label("How much locks note").select_option(level)
        page.get_by_role("button", name="Set").click()
        page.wait_for_function("level => document.querySelector('option[selected]').value === level", arg=level)
        assert httpx.get(knot, headers={"accept": "application/json"}).json()["level"] == level


def test_without_scripts_a_name_leads_to_its_stack_and_back(chromium: Browser, knot: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(knot)
    page.get_by_role("link", name="thread checkout-1").first.click()
    assert "in slow_statement" in page.locator("pre").first.inner_text()
    page.get_by_role("link", name="Back").click()
    page.get_by_role("heading", name="The lock accounts limits now").wait_for()
    context.close()


@pytest.mark.npm
def test_nothing_keeps_people_out_of_the_console(
    page: Page, knot: str, axe_finds_nothing: Callable[[Page], None]
) -> None:
    page.goto(knot)
    page.get_by_role("button", name="Pause").click()
    axe_finds_nothing(page)
    page.locator("summary").first.click()
    page.get_by_role("link", name="thread checkout-1").first.click()
    page.locator("#stacks pre").first.wait_for()
    axe_finds_nothing(page)
    page.goto(knot + "stacks?who=thread%20checkout-1")
    axe_finds_nothing(page)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
