"""What people see in a crowd: a place in line at the sign-in, sections that say theirs and fill themselves."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from serving import DOMAIN, EMAIL, Turnout
from serving import PASSWORD as WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Route

pytestmark = pytest.mark.browser

PATIENCE_MS = 120_000
CROWD = 60


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turnout]:
    """A server that checks one password at a time."""
    folder: Path = tmp_path_factory.mktemp("crowd")
    settings = {"TURNOUT_HASH_THREADS": "1"}
    server = Turnout(folder / "data", settings).prepare().start()
    yield server
    server.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context: BrowserContext = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@contextmanager
def many(work: Callable[[], object]) -> Iterator[None]:
    """`work` runs beside the block, which its failure fails at the end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE_MS / 1000)
    assert not thread.is_alive()
    assert failures == []


def sign_in_all(server: Turnout, begun: threading.Event) -> None:
    async def one(form: httpx.Response, cookies: httpx.Cookies) -> None:
        token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', form.text)
        assert token is not None
        fields = {"email": EMAIL, "password": WORDS, "_csrf_token": token.group(1)}
        async with httpx.AsyncClient(base_url=server.url, timeout=120, cookies=cookies) as web:
            assert (await web.post("/login", data=fields)).status_code == 303

    async def crowd() -> None:
        async with httpx.AsyncClient(base_url=server.url, timeout=120) as web:
            form = await web.get("/login")
            cookies = httpx.Cookies(web.cookies)
        tasks = [asyncio.create_task(one(form, cookies)) for _ in range(CROWD)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        begun.set()
        await asyncio.gather(*tasks)

    asyncio.run(crowd())


def test_who_signs_in_with_a_crowd_sees_the_place_and_gets_in(small: Turnout, page: Page) -> None:
    page.goto(f"{small.url}/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(WORDS)
    begun = threading.Event()
    told: list[str] = []
    page.expose_function("tell", lambda words: told.append(words))
    page.evaluate(
        """() => new MutationObserver(() => tell(document.querySelector("[data-place]").textContent)).observe(
            document.querySelector("[data-place]"), {childList: true, subtree: true, characterData: true})"""
    )
    with many(lambda: sign_in_all(small, begun)):
        assert begun.wait(60)
        page.get_by_role("button", name="Sign in").click(no_wait_after=True)
        page.wait_for_url("**/sites")
    assert any(re.fullmatch(r"You are in line: place \d+, about \d+ s\.", words) for words in told), told


def test_a_section_that_was_late_fills_itself(small: Turnout, page: Page) -> None:
    """Its page is a real one, made late by hand: what the server sends for a late section is tested in tests/web."""
    small.send({"n": "pageview", "u": f"https://{DOMAIN}/here", "d": DOMAIN})
    small.wait_for("visitors", 1)
    with closing(small.signed_in()) as web:
        for name, value in web.cookies.items():
            page.context.add_cookies([{"name": name, "value": value, "url": small.url}])
    answers = iter(range(100))

    def in_line(place: int) -> str:
        top = f'<section class="card list" id="pages" data-card-url="/sites/{DOMAIN}/cards/pages?">'
        return f'{top}<p role="status">Queued, place {place}.</p></section>'

    def answer_page(route: Route) -> None:
        answer = route.fetch()
        head, _, rest = re.split(
            r'(<section class="card list" id="pages".*?</section>)', answer.text(), maxsplit=1, flags=re.DOTALL
        )
        route.fulfill(response=answer, body=head + in_line(14) + rest)

    def answer_card(route: Route) -> None:
        answer = route.fetch()
        number = next(answers)
        if number < 2:
            route.fulfill(response=answer, body=in_line(7 - number))
        else:
            route.fulfill(response=answer)

    page.route(f"**/sites/{DOMAIN}", answer_page)
    page.route("**/cards/pages*", answer_card)
    page.goto(f"{small.url}/sites/{DOMAIN}")
    page.get_by_text("Queued, place 6.").wait_for()
    page.locator("#pages").get_by_text("/here").wait_for()
    assert page.get_by_text("Queued").count() == 0
