"""A crowd fills the gate of a real service, and a person waits for it in a real browser."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs

import pytest

from seawall import Fixed, Gate, Workload
from seawall.admission.room_look import Pages, Standing
from seawall.asgi import Look, Ticket, WaitingRoom, admission

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

T = TypeVar("T")
pytestmark = pytest.mark.browser
PATIENCE_S = 180.0
SERVICE_S = 0.5
"""One seat of so long lets two in a second: slow enough to see a place fall, whatever else the machine does."""
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FORM = '<form method="post" action="/order"><input name="name" value="Ada"><button>Order</button></form>'


class Shop:
    """Two pages with a link, an order, and a seat that can be held."""

    def __init__(self) -> None:
        self.gate = Gate("web", Fixed(1), [Workload("pages", queue_limit=1)])
        self.room = WaitingRoom(["pages"], key=os.urandom(16), look=Look(title="Shop"))
        self.app = admission(self.serve, self.gate, self.classify, room=self.room)
        self.may_go = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.orders: list[str] = []

    def classify(self, scope) -> Ticket | None:
        return None if scope["path"] in ("/form", "/favicon.ico") else Ticket("pages")

    async def serve(self, scope, receive, send) -> None:
        self.loop = asyncio.get_running_loop()
        text = {"/form": FORM, "/one": '<h1>Page one</h1><a href="/two">on</a>', "/two": "<h1>Page two</h1>"}
        body = text.get(scope["path"], "")
        if scope["path"] == "/hold":
            await self.may_go.wait()
        elif scope["path"] == "/one":
            await asyncio.sleep(SERVICE_S)
        if scope["path"] == "/order":
            message = await receive()
            self.orders.append(parse_qs(message["body"].decode())["name"][0])
            body = "<h1>Ordered</h1>"
        headers = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    def open(self) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.may_go.set)


class Crowd:
    """The shop full, and others in line before whoever comes next: each with a ticket of its own."""

    def __init__(self, connect) -> None:
        self.connect = connect
        connect().send(b"GET /hold HTTP/1.1\r\nhost: shop\r\n\r\n")
        connect().send(b"GET /one HTTP/1.1\r\nhost: shop\r\n\r\n")  # waits in the gate's short queue
        self.port = connect().socket.getpeername()[1]
        self.tickets: list[str] = []

    def comes(self, count: int) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while len(self.tickets) < count:
            assert time.monotonic() < until_s, "the gate never was full"
            ticket = self.asks("")
            if ticket is not None:
                self.tickets.append(ticket)

    def looks_in(self) -> None:
        """The first two of it ask with their tickets, as a program does that was told to come again."""
        front = [self.asks(ticket) for ticket in self.tickets[:2]]
        self.tickets[:2] = [ticket for ticket in front if ticket is not None]

    def asks(self, ticket: str) -> str | None:
        header = f"waiting-ticket: {ticket}\r\n" if ticket else ""
        connection = self.connect()  # one of its own: the server closes those that were idle for a while
        answer = connection.ask(f"GET /one HTTP/1.1\r\nhost: shop\r\n{header}\r\n".encode())
        connection.close()
        return json.loads(answer.body)["ticket"] if answer.status == 503 else None


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def crowd(shop: Shop, serve) -> Iterator[Crowd]:
    crowd = Crowd(serve(shop.app))
    crowd.comes(12)
    yield crowd
    shop.open()


@pytest.fixture
def address(crowd: Crowd) -> str:
    return f"http://127.0.0.1:{crowd.port}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not os.environ.get("REQUIRE_ALL_TESTS") and not CHROMIUM.exists():
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab that fails the test where the page's policy forbids something, or a script fails."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    context.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []


def wait_in(page: Page, crowd: Crowd, until: str) -> list[int]:
    """Let the crowd go on until the page shows `until`; the numbers of people before her that she saw meanwhile."""
    seen: list[int] = []
    until_s = time.monotonic() + PATIENCE_S
    while not unless_it_goes(page.get_by_text(until).is_visible, False):
        assert time.monotonic() < until_s, seen
        if time.monotonic() > until_s - PATIENCE_S + 2:  # so that her first place is seen
            crowd.looks_in()
        words = unless_it_goes(page.locator(".place").all_inner_texts, [])
        number = words[0].split()[0] if words and words[0] else ""
        if number.isdigit() and (not seen or int(number) != seen[-1]):
            seen.append(int(number))
        page.wait_for_timeout(400)
    return seen


def unless_it_goes(look: Callable[[], T], otherwise: T) -> T:
    """What `look` sees of the page; `otherwise` where the page goes away at this moment, as one without scripts does."""
    from playwright.sync_api import Error

    try:
        return look()
    except Error as error:
        if "navigation" not in error.message:
            raise
        return otherwise


def fill_again(shop: Shop, crowd: Crowd) -> None:
    """Others are in line from now on, who are in no hurry to come: newcomers are not let in before them."""
    crowd.tickets.clear()
    held = [crowd.connect() for _ in range(3)]
    for connection in held:
        connection.send(b"GET /one HTTP/1.1\r\nhost: shop\r\n\r\n")
    crowd.comes(20)
    for connection in held:
        connection.read()
    assert shop.room.statistics("pages").is_open


def test_a_person_sees_her_place_fall_gets_in_and_stays_in(page: Page, shop: Shop, crowd: Crowd, address: str) -> None:
    page.goto(f"{address}/one?color=blue")
    assert page.locator(".place").inner_text().split("\n") == ["12", "people before you"]
    assert page.get_by_role("progressbar").get_attribute("aria-label") == "Your way to the front"
    shop.open()
    seen = wait_in(page, crowd, "Page one")
    assert seen[0] == 12
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 2
    assert page.url == f"{address}/one?color=blue"
    fill_again(shop, crowd)
    page.get_by_role("link", name="on").click()
    page.get_by_role("heading", name="Page two").wait_for()
    assert shop.room.statistics("pages").is_open


def test_without_scripts_the_page_moves_on_too(chromium: Browser, shop: Shop, crowd: Crowd, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/one")
    shop.open()
    seen = wait_in(page, crowd, "Page one")
    assert seen[0] == 12
    assert seen == sorted(set(seen), reverse=True)
    page.get_by_role("link", name="on").click()
    page.get_by_role("heading", name="Page two").wait_for()
    context.close()


def test_a_form_that_has_to_wait_is_sent_once_when_it_is_its_turn(
    page: Page, shop: Shop, crowd: Crowd, address: str
) -> None:
    page.goto(f"{address}/form")
    page.locator("input").fill("Grace")
    page.get_by_role("button", name="Order").click()
    assert "your browser has kept it" in page.locator("main").inner_text()
    assert page.get_by_role("button").count() == 0
    shop.open()
    wait_in(page, crowd, "Send it again")
    assert shop.orders == []
    page.reload()  # what the button does; then Chromium asks whether to send the form again, which no test can answer
    page.get_by_role("heading", name="Ordered").wait_for()
    assert shop.orders == ["Grace"]


def test_a_page_that_loses_its_connection_says_so_and_goes_on_when_it_is_back(
    page: Page, shop: Shop, crowd: Crowd, address: str
) -> None:
    page.goto(f"{address}/one")
    page.route("**/*", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>"))
    assert page.get_by_role("alert").count() == 0
    page.get_by_role("alert").wait_for()
    assert page.locator(".place").inner_text().startswith("12")
    page.unroute("**/*")
    page.get_by_role("alert").wait_for(state="hidden")
    assert page.locator(".place").inner_text().startswith("12")


@pytest.mark.npm
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out_of_the_room(chromium: Browser, scheme: str) -> None:
    accessibility = pytest.importorskip("accessibility")
    pages = Pages(Look(title="Shop"), "pages")
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 390, "height": 700}, bypass_csp=True)
    page = context.new_page()
    for standing in (
        Standing("waiting", 12_846, 20_000, 900.0, 1e6, note="Your earlier ticket had lapsed. This is a new place."),
        Standing("waiting", 1, 9, 2.0, 1e6, is_form=True),
        Standing("turn", 0, 9, None, 1e6),
    ):
        page.set_content(pages.page(standing).decode())
        page.locator("[hidden]").evaluate_all("all => all.forEach(one => one.hidden = false)")
        accessibility.axe_finds_nothing(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow == 0
    context.close()
