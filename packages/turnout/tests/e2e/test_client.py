from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

import turnout.web
from turnout.web.page.map import MapValue, draw_map
from turnout.web.templating import make_environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

STATIC = Path(turnout.web.__file__).parent / "static"
# As the server sends it: the script must do with what this allows.
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
BUCKETS = [f"2026-11-{day:02}" for day in range(1, 11)]
CHART = {
    "step": "day",
    "starts": BUCKETS,
    "labels": [f"Day {day}" for day in range(1, 11)],
    "texts": [f"{value} visitors" for value in range(10)],
    "labelsBefore": [f"Day {day} before" for day in range(1, 11)],
    "textsBefore": [f"{value + 100} visitors" for value in range(10)],
}
POINTS = "".join(
    f'<g class="point"><line class="hair" x1="{x}" x2="{x}" y1="10" y2="180"/><circle cx="{x}" cy="100" r="4"/></g>'
    for x in range(50, 951, 100)
)
SHEETS = "".join(
    f'<link rel="stylesheet" href="/static/css/{name}.css">' for name in ("tokens", "controls", "lively", "map")
)
MENUS = """
<details class="menu" id="filter"><summary data-key="F">Filter</summary>
<form class="pop stack" method="get"><select name="add_dimension" aria-label="Dimension">
<option value="visit:country">Country</option><option value="event:page">Page</option></select>
<input name="add_value" required aria-label="Value" data-suggest="/site/suggest?period=7d"><button>Add</button></form>
</details>
<details class="menu" id="period"><summary>Period</summary>
<nav aria-label="Period"><a href="?period=7d" data-key="W">Last 7 days</a></nav></details>"""


Answer = tuple[int, dict[str, str], str]


class Pages:
    """Small pages with the real script and sheets. `main` makes the content for the parameters of an address; `answers`
    answers for one path in its place."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.main: Callable[[dict[str, str]], str] = lambda asked: ""
        self.answers: dict[str, Callable[[dict[str, str]], Answer]] = {}
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = pages.answer(self.path)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body.encode()))}.items():
                    self.send_header(name, value)
                with suppress(BrokenPipeError):  # a request that the page has given up
                    self.end_headers()
                    self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Stays silent: requests are not the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def open(self, address: str = "/site") -> None:
        self.page.goto(self.origin + address)

    def answer(self, address: str) -> Answer:
        parts = urlsplit(address)
        if parts.path.startswith("/static/"):
            kind = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[parts.path.rpartition(".")[2]]
            return 200, {"content-type": kind}, (STATIC / parts.path.removeprefix("/static/")).read_text()
        if parts.path == "/favicon.ico":
            return 404, {}, ""
        self.asked.append(address)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path in self.answers:
            return self.answers[parts.path](asked)
        html = f"""<!doctype html><html lang="en"><head><title>{parts.query or "start"}</title>{SHEETS}
            <script defer src="/static/app.js"></script></head><body>
            <header class="top">{MENUS}<button data-shortcuts hidden>Keys</button></header>
            <main id="main"><h1>Numbers {parts.query}</h1>{self.main(asked)}</main></body></html>"""
        return 200, {"content-type": "text/html; charset=utf-8", "content-security-policy": POLICY}, html


@contextmanager
def served(browser: Browser, **options: Any) -> Iterator[Pages]:
    context = browser.new_context(viewport={"width": 1000, "height": 700}, **options)
    context.set_default_timeout(10_000)
    pages = Pages(context.new_page())
    thread = threading.Thread(target=pages.server.serve_forever)
    thread.start()
    try:
        yield pages
    finally:
        context.close()
        pages.server.shutdown()
        thread.join()
        pages.server.server_close()


@pytest.fixture
def pages(chromium: Browser) -> Iterator[Pages]:
    with served(chromium) as pages:
        yield pages
        assert pages.complaints == []


def mark(page: Page) -> None:
    """Leaves a mark that a whole new page would not have."""
    page.evaluate("window.isTheSamePage = true")


def is_the_same_page(page: Page) -> bool:
    return bool(page.evaluate("window.isTheSamePage === true"))


def tall(asked: dict[str, str]) -> str:
    items = "".join(f'<p><a href="?row={row}">Row {row}</a></p>' for row in range(100))
    return f'<section id="rows">{items}</section><details id="more"><summary>More</summary>…</details>'


def test_a_link_to_the_same_path_changes_the_content_alone(pages: Pages) -> None:
    pages.main, page = tall, pages.page
    pages.open()
    mark(page)
    page.locator("#more summary").click()
    link = page.get_by_role("link", name="Row 40", exact=True)
    link.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    link.click()
    page.wait_for_url("**/site?row=40")
    assert page.title() == "row=40"
    assert page.locator("h1").inner_text() == "Numbers row=40"
    assert is_the_same_page(page)
    assert before > 0
    assert page.evaluate("scrollY") == before
    assert page.evaluate("document.activeElement.textContent") == "Row 40"
    assert page.locator("#more[open]").count() == 1
    assert page.locator("[role=status]").inner_text() == "Numbers row=40"


def test_back_and_forward_show_what_was_there_with_its_scroll(pages: Pages) -> None:
    pages.main, page = tall, pages.page
    pages.open()
    mark(page)
    page.get_by_role("link", name="Row 70", exact=True).click()
    page.wait_for_url("**row=70")
    below = page.evaluate("scrollY")
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("link", name="Row 1", exact=True).click()
    page.wait_for_url("**row=1")
    asked = len(pages.asked)
    page.go_back()
    assert page.locator("h1").inner_text() == "Numbers row=70"
    page.go_back()
    assert page.locator("h1").inner_text() == "Numbers"
    assert page.evaluate("scrollY") == below
    page.go_forward()
    assert page.locator("h1").inner_text() == "Numbers row=70"
    assert page.title() == "row=70"
    assert len(pages.asked) == asked
    assert is_the_same_page(page)


def test_after_a_reload_going_back_asks_the_server(pages: Pages) -> None:
    pages.main, page = tall, pages.page
    pages.open()
    page.get_by_role("link", name="Row 1", exact=True).click()
    page.wait_for_url("**row=1")
    page.reload()
    page.go_back()
    page.locator("h1", has_text="Numbers").and_(page.locator(":text-is('Numbers')")).wait_for()
    assert page.title() == "start"


def test_a_form_to_the_same_path_changes_the_content_alone(pages: Pages) -> None:
    page = pages.page
    pages.open()
    mark(page)
    page.locator("#filter summary").click()
    page.get_by_label("Value").fill("a b&c")
    page.get_by_label("Value").press("Enter")
    page.wait_for_url("**/site?add_dimension=visit%3Acountry&add_value=a+b%26c")
    assert is_the_same_page(page)
    assert page.locator("#filter[open]").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Filter"


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_is_shown_by_the_browser_itself(status: int, pages: Pages) -> None:
    page = pages.page
    pages.main = lambda asked: '<a href="?broken=1">On</a>'
    pages.open()
    mark(page)
    pages.answers["/site"] = lambda asked: (status, {"content-type": "text/html"}, "<h1>Broken</h1>")
    page.get_by_role("link", name="On").click()
    page.locator("h1", has_text="Broken").wait_for()
    assert not is_the_same_page(page)
    assert page.url.endswith("?broken=1")


def test_a_redirect_to_another_path_is_followed_by_the_browser_itself(pages: Pages) -> None:
    page = pages.page
    pages.main = lambda asked: '<a href="?gone=1">On</a>'
    pages.open()
    mark(page)
    pages.answers["/site"] = lambda asked: (303, {"location": "/login"}, "")
    page.get_by_role("link", name="On").click()
    page.wait_for_url("**/login")
    assert not is_the_same_page(page)


def test_the_latest_of_two_clicks_counts(pages: Pages) -> None:
    page = pages.page
    pages.main = lambda asked: '<a href="?slow=1">Slow</a> <a href="?quick=1">Quick</a>'
    pages.open()
    held: list[Route] = []
    page.route("**/site?slow=1", lambda route: held.append(route))
    with page.expect_request("**/site?slow=1"):
        page.get_by_role("link", name="Slow").click()
    assert page.locator("main[aria-busy=true]").count() == 1
    with page.expect_event("requestfailed", lambda request: request.url.endswith("slow=1")):
        page.get_by_role("link", name="Quick").click()
    page.wait_for_url("**?quick=1")
    assert page.locator("h1").inner_text() == "Numbers quick=1"
    assert page.locator("main[aria-busy]").count() == 0
    assert [len(held), page.evaluate("history.length")] == [1, 3]


def test_links_elsewhere_and_with_modifiers_are_the_browsers(pages: Pages) -> None:
    page = pages.page
    pages.main = lambda asked: (
        '<a href="/other">Other</a> <a href="?new=1">New</a> <a href="#more">Within</a><p id=more>'
    )
    pages.open()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="New").click(modifiers=["ControlOrMeta"])
    opened.value.close()
    mark(page)
    page.get_by_role("link", name="Within").click()
    assert page.url.endswith("#more")
    assert is_the_same_page(page)
    page.get_by_role("link", name="Other").click()
    page.wait_for_url("**/other")
    assert not is_the_same_page(page)


def test_a_menu_closes_outside_on_escape_and_when_another_opens(pages: Pages) -> None:
    page = pages.page
    pages.open()
    page.locator("#filter summary").click()
    page.locator("#period summary").click()
    page.locator("#filter:not([open])").wait_for()
    page.locator("h1").click()
    assert page.locator("details[open]").count() == 0
    page.locator("#period summary").click()
    page.get_by_role("link", name="Last 7 days").focus()
    page.keyboard.press("Escape")
    assert page.locator("details[open]").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Period"


def test_a_letter_clicks_what_bears_it(pages: Pages) -> None:
    page = pages.page
    pages.open()
    mark(page)
    page.keyboard.press("w")
    page.wait_for_url("**?period=7d")
    page.keyboard.press("f")
    assert page.locator("#filter[open]").count() == 1
    page.get_by_label("Value").press("w")
    assert page.get_by_label("Value").input_value() == "w"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+w")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "add_value"
    assert is_the_same_page(page)


def test_the_list_of_keys_opens_closes_and_turns_them_off(pages: Pages) -> None:
    page = pages.page
    pages.open()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    assert dialog.locator("dl > div").all_inner_texts() == [
        "F\nFilter",
        "W\nLast 7 days",
        "/\nSearch or filter",
        "?\nThis list",
        "Esc\nClose, cancel",
    ]
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Use these keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("w")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").count() == 0
    assert page.url.endswith("/site")


def chart(asked: dict[str, str]) -> str:
    pictures = "".join(
        f'<svg class="{kind}" viewBox="0 0 1000 200" width="{width}" height="{height}">{POINTS}</svg>'
        for kind, width, height in (("wide", 900, 180), ("narrow-chart", 0, 0))
    )
    zoom = "?metric=visits&amp;from=FROM&amp;to=TO"
    title = '<h2 id="chart-title">Visitors by day</h2>'
    return f"{title}<div data-chart='{json.dumps(CHART)}' data-zoom='{zoom}'>{pictures}</div>"


def across(page: Page, bucket: float) -> tuple[float, float]:
    """The place of a bucket in the window."""
    box = page.locator("[data-chart] svg.wide").bounding_box()
    assert box is not None
    return box["x"] + (50 + 100 * bucket) * box["width"] / 1000, box["y"] + 100


def tip(page: Page) -> list[str]:
    return page.locator(".chart-tip").inner_text().split("\n")


def test_the_nearest_point_is_read_anywhere_in_the_plot(pages: Pages) -> None:
    pages.main, page = chart, pages.page
    pages.open()
    page.mouse.move(*across(page, 3.4))
    assert tip(page) == ["3 visitors", "Day 4", "Day 4 before: 103 visitors"]
    page.mouse.move(*across(page, 3.6))
    assert tip(page)[0] == "4 visitors"
    page.mouse.move(1, 1)
    assert not page.locator(".chart-tip").is_visible()


def test_dragging_over_days_zooms_to_them_and_a_click_does_nothing(pages: Pages) -> None:
    pages.main, page = chart, pages.page
    pages.open()
    mark(page)
    page.mouse.move(*across(page, 6))
    page.mouse.down()
    page.mouse.up()
    assert pages.asked == ["/site"]
    page.mouse.down()
    page.mouse.move(*across(page, 2))
    assert page.locator(".chart-range").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".chart-range").is_visible()
    page.mouse.up()
    assert pages.asked == ["/site"]
    page.mouse.move(*across(page, 6))
    page.mouse.down()
    page.mouse.move(*across(page, 2))
    page.mouse.up()
    page.wait_for_url("**/site?metric=visits&from=2026-11-03&to=2026-11-07")
    assert is_the_same_page(page)


def test_arrow_keys_read_the_chart_and_zoom(pages: Pages) -> None:
    pages.main, page = chart, pages.page
    pages.open()
    slider = page.get_by_role("slider", name="Visitors by day")
    page.keyboard.press("Tab")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert tip(page)[0] == "1 visitors"
    assert slider.get_attribute("aria-valuetext") == "Day 2: 1 visitors, Day 2 before: 101 visitors"
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=2026-11-02&to=2026-11-04")


def test_a_finger_reads_the_chart(chromium: Browser) -> None:
    with served(chromium, has_touch=True) as pages:
        pages.main = chart
        pages.open()
        pages.page.touchscreen.tap(*across(pages.page, 5))
        assert tip(pages.page)[0] == "5 visitors"
        pages.page.touchscreen.tap(2, 2)
        assert not pages.page.locator(".chart-tip").is_visible()


def test_a_part_that_fails_leaves_the_others_working(chromium: Browser) -> None:
    with served(chromium) as pages:
        pages.main = lambda asked: '<div data-chart="{broken"></div><a href="?on=1">On</a>'
        pages.open()
        mark(pages.page)
        pages.page.keyboard.press("?")
        pages.page.get_by_role("dialog").wait_for()
        pages.page.keyboard.press("Escape")
        pages.page.get_by_role("link", name="On").click()
        pages.page.wait_for_url("**?on=1")
        assert is_the_same_page(pages.page)
        assert pages.complaints


SUGGESTED = [
    {"value": code, "label": name, "visitors": count}
    for code, name, count in (("DE", "Germany", 9), ("FR", "France", 1))
]


def test_values_are_suggested_chosen_by_keys_and_several(pages: Pages) -> None:
    page = pages.page
    pages.answers["/site/suggest"] = lambda asked: (200, {"content-type": "application/json"}, json.dumps(SUGGESTED))
    pages.open()
    page.locator("#filter summary").click()
    value = page.get_by_role("combobox", name="Value")
    with page.expect_response("**/site/suggest?period=7d&dimension=visit%3Acountry&q=an"):
        value.fill("an")
    options = page.locator("#filter").get_by_role("listbox", name="Suggestions").get_by_role("option")
    options.first.wait_for()
    assert value.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    active = page.locator("#filter [aria-selected=true]")
    assert value.get_attribute("aria-activedescendant") == active.get_attribute("id")
    assert active.inner_text() == "Germany\n9"
    page.keyboard.press("Escape")
    assert value.get_attribute("aria-expanded") == "false"
    assert page.locator("#filter[open]").count() == 1
    page.keyboard.press("ArrowDown")
    options.first.click()
    page.get_by_role("combobox", name="or another value").focus()
    options.get_by_text("France").click()
    assert options.count() == 0
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/site?add_dimension=visit%3Acountry&add_value=Germany&add_value=France")


def test_a_late_card_is_asked_for_until_it_is_there(pages: Pages) -> None:
    page, tries = pages.page, []

    def card(parameters: dict[str, str]) -> Answer:
        tries.append(1)
        late = ' data-card-url="/site/cards/late"' if len(tries) < 3 else ""
        status = 503 if len(tries) == 1 else 200
        return status, {"content-type": "text/html"}, f'<section id="late"{late}><p>Try {len(tries)}</p></section>'

    pages.answers["/site/cards/late"] = card
    pages.main = lambda asked: '<section id="late" data-card-url="/site/cards/late"><h2>Late</h2></section>'
    page.clock.install()
    pages.open()
    page.get_by_text("Late: asking again…").wait_for()
    page.clock.run_for(5_000)
    with page.expect_response("**/cards/late"):
        page.clock.run_for(5_000)
    page.get_by_text("Try 3").wait_for()
    assert page.locator("[data-card-url]").count() == 0


def test_a_search_answers_as_people_type(pages: Pages) -> None:
    page = pages.page
    pages.main = lambda asked: (
        f'<form role="search" method="get"><input name="q" type="search" aria-label="Search" value="{asked.get("q", "")}">'
        f"</form><p>Found {asked.get('q', 'all')}</p>"
    )
    pages.open()
    mark(page)
    page.keyboard.press("/")
    page.keyboard.type("abc")
    page.get_by_text("Found abc").wait_for()
    page.keyboard.type("d")
    page.get_by_text("Found abcd").wait_for()
    assert page.url.endswith("?q=abcd")
    assert page.evaluate("history.length") == 2
    assert is_the_same_page(page)


def test_a_country_of_the_map_filters_by_pointer_and_by_key(pages: Pages) -> None:
    page = pages.page
    rows = [MapValue("DE", "Germany", 90, "90 %", "?f=DE"), MapValue("MT", "Malta", 10, "10 %", "?f=MT")]
    template = make_environment().from_string('{% from "_map.html" import world_map %}{{ world_map(map) }}')
    pages.main = lambda asked: template.render(map=draw_map(rows))
    pages.open()
    germany = page.get_by_role("link", name="Germany: 90 visitors, 90 %")
    box = germany.bounding_box()
    assert box is not None
    assert 5 < box["width"] < 100
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**?f=DE")
    page.get_by_role("link", name="Malta: 10 visitors, 10 %").press("Enter")
    page.wait_for_url("**?f=MT")
