"""Who comes in with whom, and who is shown what was drawn last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from seawall.testing import ManualClock
from turnout.web.together import REMEMBERED, Together, begun, drawn, follows, takes_last

SHARED_S = 4.0


class Pages:
    """An application that notes who comes in how, and lets a test say how a request ends."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shared_s = SHARED_S
        self.came: list[tuple[bool, bool]] = []
        self.may_end = asyncio.Event()
        self.is_refused = False
        self.together = Together(self._app, lambda: self.shared_s, self.clock)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.came.append((follows(scope), takes_last(scope)))
        if self.is_refused:
            return
        begun(scope)
        await self.may_end.wait()
        drawn(scope)

    def ask(self, path: str = "/sites/acme.example") -> asyncio.Task[None]:
        return asyncio.create_task(self.together({"path": path, "query_string": b""}, None, None))

    async def draw(self, path: str = "/sites/acme.example") -> None:
        """Somebody alone opens the page."""
        self.may_end.set()
        await self.ask(path)
        self.may_end.clear()
        self.came.clear()

    async def come(self, count: int) -> list[tuple[bool, bool]]:
        """So many open the page at one moment; how each came in, by `follows` and `takes_last`."""
        tasks = [self.ask() for _ in range(count)]
        for _ in range(10):
            await asyncio.sleep(0)
        self.may_end.set()
        await asyncio.gather(*tasks)
        self.may_end.clear()
        return self.came


def with_pages(body: Callable[[Pages], Awaitable[None]]) -> None:
    async def run() -> None:
        await body(Pages())

    asyncio.run(run())


def test_who_comes_while_a_page_is_drawn_for_the_first_time_follows() -> None:
    async def body(pages: Pages) -> None:
        assert await pages.come(3) == [(False, False), (True, False), (True, False)]

    with_pages(body)


def test_who_comes_while_a_page_is_drawn_anew_is_shown_what_was_drawn_just_before() -> None:
    async def body(pages: Pages) -> None:
        await pages.draw()
        pages.clock.advance(SHARED_S)
        assert await pages.come(3) == [(False, False), (True, True), (True, True)]

    with_pages(body)


def test_nobody_is_shown_what_is_older_than_may_be_shared_now() -> None:
    async def body(pages: Pages) -> None:
        await pages.draw()
        pages.clock.advance(SHARED_S + 0.01)
        assert await pages.come(2) == [(False, False), (True, False)]

    with_pages(body)


def test_the_age_counts_from_when_its_drawing_began() -> None:
    async def body(pages: Pages) -> None:
        drawing = pages.ask()
        await asyncio.sleep(0)
        pages.clock.advance(SHARED_S)  # all of it for one drawing
        pages.may_end.set()
        await drawing
        pages.may_end.clear()
        pages.came.clear()
        pages.clock.advance(0.01)
        assert await pages.come(2) == [(False, False), (True, False)]

    with_pages(body)


def test_somebody_alone_never_takes_the_last() -> None:
    async def body(pages: Pages) -> None:
        await pages.draw()
        assert await pages.come(1) == [(False, False)]

    with_pages(body)


def test_who_was_refused_has_drawn_nothing_and_leads_nobody() -> None:
    async def body(pages: Pages) -> None:
        pages.is_refused = True
        assert await pages.come(1) == [(False, False)]
        pages.is_refused = False
        pages.came.clear()
        assert await pages.come(2) == [(False, False), (True, False)]

    with_pages(body)


def test_one_page_says_nothing_of_another_and_few_are_remembered() -> None:
    async def body(pages: Pages) -> None:
        await pages.draw("/sites/other.example")
        assert await pages.come(2) == [(False, False), (True, False)]
        for number in range(REMEMBERED + 5):
            await pages.draw(f"/sites/{number}.example")
        assert len(pages.together._drawn_s) == REMEMBERED
        assert not pages.together._leading

    with_pages(body)
