"""A crowd fills the gate of a real server: a person sees the waiting room, her place falls, she gets in and stays in."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import httpx
import pytest
from serving import DOMAIN, EMAIL, WAIT_S, Turnout, until
from serving import PASSWORD as WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

T = TypeVar("T")
pytestmark = pytest.mark.browser

PATIENCE_S = 120.0
CROWD = 100
IN_LINE, SIGN_INS_IN_LINE = 200, 45
"""More than are called at once, of whom hardly anybody comes."""
HTML = {"accept": "text/html", "sec-fetch-dest": "document"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turnout]:
    """A server that draws one page at a time, checks one password, and has nobody wait long at its gates."""
    folder: Path = tmp_path_factory.mktemp("room")
    settings = {
        "TURNOUT_PAGE_SEATS": "1",
        "TURNOUT_PAGE_WAIT_S": "0.1",
        "TURNOUT_PAGE_BURST_S": "0",
        "TURNOUT_HASH_THREADS": "1",
        "TURNOUT_SIGN_INS_WAITING": "2",
    }
    server = Turnout(folder / "data", settings).prepare().start()
    server.send({"n": "pageview", "u": f"https://{DOMAIN}/here", "d": DOMAIN})
    server.wait_for("visitors", 1)
    yield server
    server.stop()


class Crowd:
    """People who open dashboards, each one of its own, and keep the place that they are given."""

    def __init__(self, server: Turnout, session: str) -> None:
        self.server = server
        self.session = session
        self.line: list[httpx.Cookies] = []
        self._numbers = count()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def comes(self) -> None:
        """Asks for more at once than are let in, until so many stand in line."""

        def crowd_is_there() -> bool:
            self.line += self._ask_all([httpx.Cookies() for _ in range(CROWD)])
            return len(self.line) >= IN_LINE

        until(crowd_is_there, "the gate to refuse somebody", PATIENCE_S)

    def goes_on(self) -> None:
        """From now on those in front look in, as their browsers would, until `ends`."""
        self._thread = threading.Thread(target=self._look_in)
        self._thread.start()

    def ends(self) -> None:
        """Those who are left go away."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    def _look_in(self) -> None:
        while not self._is_over.wait(0.3):
            self.line[:3] = self._ask_all(self.line[:3])

    def _ask_all(self, people: list[httpx.Cookies]) -> list[httpx.Cookies]:
        """All ask at once; those who were not let in come back with the place they have now."""

        async def ask_all() -> list[httpx.Cookies | None]:
            return await asyncio.gather(*(self._ask(cookies) for cookies in people))

        with ThreadPoolExecutor(1) as thread:  # Playwright's loop counts as running in this one
            return [cookies for cookies in thread.submit(asyncio.run, ask_all()).result() if cookies is not None]

    async def _ask(self, cookies: httpx.Cookies) -> httpx.Cookies | None:
        cookies.set("turnout_session", self.session)
        # No certificates: to read them for each of a crowd takes longer than all else, and this is plain HTTP.
        async with httpx.AsyncClient(base_url=self.server.url, timeout=WAIT_S, cookies=cookies, verify=False) as web:
            # A filter of his own, or he would come in with whoever asks for the same.
            answer = await web.get(f"/sites/{DOMAIN}?f=is,event:page,/{next(self._numbers)}", headers=HTML)
            assert answer.status_code in (200, 503), answer.text
            return httpx.Cookies(web.cookies) if answer.status_code == 503 else None


@pytest.fixture
def crowd(small: Turnout) -> Iterator[Crowd]:
    with closing(small.signed_in()) as web:
        found = Crowd(small, web.cookies["turnout_session"])
    yield found
    found.ends()


def tab(context: BrowserContext, server: Turnout, crowd: Crowd) -> Page:
    context.set_default_timeout(PATIENCE_S * 1000)
    context.add_cookies([{"name": "turnout_session", "value": crowd.session, "url": server.url}])
    return context.new_page()


def wait_in_line(page: Page, there: str) -> list[int]:
    """The numbers of people before her that she sees until the page shows `there`."""
    seen: list[int] = []
    give_up = time.monotonic() + PATIENCE_S
    while not unless_it_goes(page.locator(there).first.is_visible, False):
        assert time.monotonic() < give_up, seen
        number = (unless_it_goes(page.locator(".place").all_inner_texts, []) or [""])[0].split("\n")[0]
        if number.isdigit() and (not seen or int(number) != seen[-1]):
            seen.append(int(number))
        page.wait_for_timeout(200)
    return seen


def unless_it_goes(look: Callable[[], T], otherwise: T) -> T:
    """What `look` sees of the page; `otherwise` where the page goes away at this moment."""
    from playwright.sync_api import Error

    try:
        return look()
    except Error as error:
        if "navigation" not in error.message:
            raise
        return otherwise


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_person_sees_the_room_her_place_falls_and_she_gets_in_and_stays_in(
    chromium: Browser, small: Turnout, crowd: Crowd, scripts: bool
) -> None:
    context = chromium.new_context(java_script_enabled=scripts)
    page = tab(context, small, crowd)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    crowd.comes()
    page.goto(f"{small.url}/sites/{DOMAIN}?period=7d")
    assert page.get_by_role("heading").inner_text() == "You are in line"
    assert page.locator(".brand").inner_text() == "Turnout"
    crowd.goes_on()
    seen = wait_in_line(page, "#pages")
    assert seen
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= (2 if scripts else 1)  # without scripts she may look in once only
    assert page.url == f"{small.url}/sites/{DOMAIN}?period=7d"
    crowd.ends()
    crowd.comes()
    page.goto(f"{small.url}/sites/{DOMAIN}?period=28d")
    # Where there is no seat at this moment the page says so, and asks again; she is in no line.
    assert wait_in_line(page, "#pages") == []
    assert [text for text in complaints if "Failed to load resource" not in text] == []
    context.close()


async def fill_line_of_sign_ins(server: Turnout) -> None:
    """Signs people in, all at once, until some who never come again have a place in line."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as web:
        token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', (await web.get("/login")).text)
        assert token is not None
        fields = {"email": EMAIL, "password": WORDS, "_csrf_token": token.group(1)}
        places = 0
        while places < SIGN_INS_IN_LINE:
            answers = await asyncio.gather(*(web.post("/login", data=fields, headers=HTML) for _ in range(20)))
            assert {answer.status_code for answer in answers} <= {303, 503}
            places += sum(answer.status_code == 503 for answer in answers)
            web.cookies.delete("room-sign-in")


def test_a_sign_in_that_has_to_wait_is_sent_again_when_it_is_its_turn(
    chromium: Browser, small: Turnout, crowd: Crowd
) -> None:
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    page.goto(f"{small.url}/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(WORDS)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, fill_line_of_sign_ins(small)).result()
    page.get_by_role("button", name="Sign in").click(no_wait_after=True)
    page.get_by_text("your browser has kept it").wait_for()
    page.get_by_role("button", name="Send it again").wait_for()
    page.reload()  # what the button does; then Chromium asks whether to send the form again, which no test can answer
    page.wait_for_url("**/sites")
    context.close()


@pytest.mark.npm
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_room(
    chromium: Browser, small: Turnout, crowd: Crowd, scheme: str, axe_finds_nothing: Callable[[Page], None]
) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 390, "height": 760}, bypass_csp=True)
    page = tab(context, small, crowd)
    crowd.comes()
    page.goto(f"{small.url}/sites/{DOMAIN}?period=91d")
    assert page.get_by_role("heading").inner_text() == "You are in line"
    axe_finds_nothing(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
