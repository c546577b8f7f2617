from __future__ import annotations

import asyncio
import logging
import re
from contextlib import closing
from datetime import UTC, date, datetime

import httpx
import pytest
from crowd import until
from litestar import Litestar, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template
from litestar.template.config import TemplateConfig

from seawall import Fixed, Gate, Overloaded, Workload
from seawall.testing import ManualClock
from turnout.errors import StoreUnavailable
from turnout.model.query import Query, Result, Row
from turnout.model.site import Site, SiteId, UserId
from turnout.query.line import Spot, note_spot
from turnout.settings import Settings
from turnout.web import patience
from turnout.web.mount import Desk, Mount, PageRequest
from turnout.web.page.answers import Missing
from turnout.web.patience import Part, in_time
from turnout.web.site_page import site_card, site_page
from turnout.web.templating import make_engine
from turnout.web.together import Together

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)
LATE = Missing(is_late=True)
FAILED = Missing(is_late=False)


class Runner:
    """Answers at once, but what is held back waits for `released`, and what is broken fails."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.broken: set[str] = set()
        self.released = asyncio.Event()
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.has_events = True
        self.stored: object = None

    def state(self) -> object:
        return object() if self.stored is None else self.stored

    async def answer(self, site: Site, query: Query) -> Result:
        name = query.dimensions[0] if query.dimensions else "headline"
        await self._pass(name)
        dimensions = tuple("x" for _ in query.dimensions)
        rows = (Row(dimensions, tuple(4 for _ in query.metrics)),) if self.has_events or not dimensions else ()
        if not self.has_events:
            rows = tuple(Row(row.dimensions, tuple(0 for _ in row.metrics)) for row in rows)
        return Result(rows=rows, time_labels=("2026-11-23", "2026-11-24") if query.time_labels else None)

    async def answer_all(self, site: Site, queries: list[Query]) -> list[Result]:
        return list(await asyncio.gather(*(self.answer(site, query) for query in queries)))

    async def first_day(self, site: Site) -> date | None:
        await self._pass("first_day")
        return date(2026, 11, 20) if self.has_events else None

    async def _pass(self, name: str) -> None:
        self.asked.append(name)
        if name in self.broken:
            raise Overloaded("the pool is full", 1.0)
        if name in self.held:
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise


@get("/at/{below:path}")
async def show(
    request: PageRequest, below: FromPath[str], desk: NamedDependency[SkipValidation[Desk]]
) -> Template | Redirect:
    mount = Mount(site=SITE, page_path="/at")
    card = below.rpartition("/cards/")[2] if "/cards/" in below else ""
    patience_s = 30.0 if below == "/patient" else 0.05
    return await (
        site_card(request, mount, desk, card) if card else site_page(request, mount, desk, patience_s=patience_s)
    )


def client(runner: Runner, *, shared_s: float = 0.0) -> httpx.AsyncClient:
    """Asks the application on the test's own loop."""
    desk = Desk(runner, ManualClock(time_s=NOW.timestamp()), Settings())  # type: ignore[arg-type]  # what it needs
    app = Litestar(
        [show],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        template_config=TemplateConfig(instance=make_engine()),
    )
    together = Together(app, lambda: shared_s)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=together), base_url="http://test")


async def joined() -> None:
    """Returns when somebody waits for something late."""
    for _ in range(10_000):
        if any(late.waiting for late in patience._late.values()):
            return
        await asyncio.sleep(0)
    pytest.fail("nobody came")


def late_sections(html: str) -> list[str]:
    return re.findall(r'data-card-url="/at/cards/([a-z]+)', html)


def test_a_late_card_blocks_no_other_and_its_section_joins_it() -> None:
    async def run() -> None:
        runner = Runner()
        runner.held = {"visit:browser"}
        async with client(runner) as web:
            page = (await web.get("/at/page")).text
            assert late_sections(page) == ["devices"]
            assert page.count("Still counting…") == 1
            assert page.count("<tbody>") == 5
            assert runner.cancelled == []
            section = asyncio.create_task(web.get("/at/page/cards/devices"))
            await joined()
            runner.released.set()
            html = (await section).text
        assert runner.asked.count("visit:browser") == 1
        assert "Still counting" not in html
        assert "<tbody>" in html
        assert late_sections(html) == []

    asyncio.run(run())


def test_who_comes_while_a_page_is_drawn_anew_is_shown_it_as_it_was_and_asks_nothing() -> None:
    async def run() -> None:
        runner = Runner()
        runner.stored = 1
        async with client(runner, shared_s=60.0) as web:
            first = (await web.get("/at/patient")).text
            runner.stored, runner.held = 2, {"visit:browser"}
            runner.asked.clear()
            anew = asyncio.create_task(web.get("/at/patient"))
            await until(lambda: "visit:browser" in runner.asked)
            asked = len(runner.asked)
            for _ in range(3):
                assert (await web.get("/at/patient")).text == first
            assert len(runner.asked) == asked
            runner.released.set()
            assert "Still counting" not in (await anew).text

    asyncio.run(run())


def test_all_late_is_still_a_page_with_all_its_controls() -> None:
    async def run() -> None:
        runner = Runner()
        runner.held = {
            "headline",
            "time:day",
            "visit:source",
            "event:page",
            "visit:country",
            "visit:browser",
            "event:name",
        }
        async with client(runner) as web:
            answer = await web.get("/at/page?compare=previous&f=is,visit:os,Linux")
            runner.released.set()
        assert answer.status_code == 200
        assert late_sections(answer.text) == ["chart", "sources", "pages", "locations", "devices", "events"]
        assert "System is Linux" in answer.text
        assert 'aria-label="not counted yet"' in answer.text

    asyncio.run(run())


def test_a_first_day_that_is_late_makes_all_of_all_time_late() -> None:
    async def run() -> None:
        runner = Runner()
        runner.held = {"first_day"}
        async with client(runner) as web:
            html = (await web.get("/at/page?period=all")).text
            runner.released.set()
        assert len(late_sections(html)) == 6

    asyncio.run(run())


def test_what_fails_says_so_and_can_be_tried_again() -> None:
    async def run() -> None:
        runner = Runner()
        runner.broken = {"event:page", "headline"}
        async with client(runner) as web:
            html = (await web.get("/at/page?period=7d")).text
        assert html.count("This could not be counted.") == 2
        assert 'href="?period=7d#pages"' in html
        # Without the headline no shares are known, so that every card is to be asked for again.
        assert len(late_sections(html)) == 6

    asyncio.run(run())


def test_a_site_nobody_has_visited_waits_and_shows_no_snippet_to_strangers() -> None:
    async def run() -> str:
        runner = Runner()
        runner.has_events = False
        async with client(runner) as web:
            return (await web.get("/at/page")).text

    html = asyncio.run(run())
    assert "Waiting for the first visit" in html
    assert "data-domain" not in html


def slow(event: asyncio.Event, seen: list[str], key: str = "slow") -> Part[int]:
    async def work() -> int:
        try:
            await event.wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return 1

    return Part((event, key), work)


def test_a_late_part_is_stopped_when_nobody_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LINGER_S", 0.0)

    async def run() -> None:
        seen: list[str] = []
        assert await in_time({"a": slow(asyncio.Event(), seen)}, patience_s=0.0) == {"a": LATE}
        (left,) = patience._late.values()
        await asyncio.wait([left.task])
        await asyncio.sleep(0)
        assert left.task.cancelled()
        assert not patience._late

    asyncio.run(run())


def test_who_waits_for_a_late_part_keeps_it_running() -> None:
    async def run() -> None:
        seen: list[str] = []
        end = asyncio.Event()
        assert await in_time({"a": slow(end, seen)}, patience_s=0.0) == {"a": LATE}
        waiter = asyncio.create_task(in_time({"a": slow(end, seen)}, patience_s=60.0))
        await joined()
        (late,) = patience._late.values()
        late._expire()
        end.set()
        assert await waiter == {"a": 1}
        assert seen == []

    asyncio.run(run())


def test_no_more_than_so_many_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MAX_LINGERING", 1)

    async def run() -> None:
        seen: list[str] = []
        end = asyncio.Event()
        await in_time({name: slow(end, seen, name) for name in "abc"}, patience_s=0.001)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert seen == ["cancelled", "cancelled"]
        end.set()

    asyncio.run(run())


def test_who_leaves_stops_what_was_asked() -> None:
    async def run() -> None:
        seen: list[str] = []
        asker = asyncio.create_task(in_time({"a": slow(asyncio.Event(), seen)}, patience_s=60.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asker
        await asyncio.sleep(0)
        assert seen == ["cancelled"]

    asyncio.run(run())


def test_errors_that_nobody_foresaw_are_logged_and_others_not(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(error: Exception) -> int:
        raise error

    async def run() -> dict[str, int | Missing]:
        parts = {
            "store": Part(1, lambda: fail(StoreUnavailable("gone"))),
            "bug": Part(2, lambda: fail(KeyError("x"))),
        }
        return await in_time(parts, patience_s=1.0)

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(run()) == {"store": FAILED, "bug": FAILED}
    assert [record.getMessage() for record in caplog.records] == ["the part bug of a page failed"]


def test_a_part_that_waits_in_line_says_its_place_also_to_who_joins() -> None:
    async def run() -> None:
        end = asyncio.Event()
        with closing(Gate("line", Fixed(1), [Workload("pages")])) as gate:

            def part(key: str) -> Part[int]:
                async def work() -> int:
                    spot = Spot()
                    note_spot(spot)
                    spot.admitted = gate.admit("pages")
                    async with spot.admitted:
                        await end.wait()
                    return 1

                return Part((end, key), work)

            found = await in_time({name: part(name) for name in "abc"}, patience_s=0.05)
            assert found == {
                "a": LATE,
                "b": Missing(is_late=True, place=1),
                "c": Missing(is_late=True, place=2),
            }
            assert await in_time({"c": part("c")}, patience_s=0.0) == {"c": Missing(is_late=True, place=2)}
            end.set()
            assert await in_time({name: part(name) for name in "abc"}, patience_s=60.0) == dict.fromkeys("abc", 1)

    asyncio.run(run())


def test_a_queued_card_says_its_place_and_without_scripts_has_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnout.query.line.Following.place", lambda self: 14)

    async def run() -> str:
        runner = Runner()
        runner.held = {"visit:browser"}
        async with client(runner) as web:
            html = (await web.get("/at/page?period=7d")).text
            runner.released.set()
        return html

    html = asyncio.run(run())
    assert "Queued, place 14." in html
    assert 'href="?period=7d#devices"' in html
    assert late_sections(html) == ["devices"]


def test_an_old_answer_is_shown_with_its_age_until_the_fresh_one_is_there() -> None:
    async def run() -> None:
        runner = Runner()
        async with client(runner) as web:
            assert "s old" not in (await web.get("/at/page")).text
            runner.held = {"visit:browser", "time:day"}
            html = (await web.get("/at/page")).text
            assert html.count("0 s old; fresh numbers are being counted.") == 2
            assert "Still counting" not in html
            assert html.count("<tbody>") == 6
            assert late_sections(html) == ["chart", "devices"]
            runner.released.set()
            section = (await web.get("/at/page/cards/devices")).text
        assert "s old" not in section
        assert late_sections(section) == []

    asyncio.run(run())


def test_what_is_too_old_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "OLDEST_S", -1.0)

    async def run() -> None:
        runner = Runner()
        async with client(runner) as web:
            await web.get("/at/page")
            runner.held = {"visit:browser"}
            assert "Still counting…" in (await web.get("/at/page")).text
            runner.released.set()

    asyncio.run(run())


def test_who_leaves_as_the_last_one_stops_a_late_part() -> None:
    async def run() -> None:
        seen: list[str] = []
        end = asyncio.Event()
        assert await in_time({"a": slow(end, seen)}, patience_s=0.0) == {"a": LATE}
        first, last = (asyncio.create_task(in_time({"a": slow(end, seen)}, patience_s=60.0)) for _ in range(2))
        await joined()
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        assert seen == []
        last.cancel()
        await asyncio.wait([last])
        await asyncio.sleep(0)
        assert seen == ["cancelled"]
        assert not patience._late

    asyncio.run(run())


def test_a_page_that_was_drawn_of_the_same_data_asks_nothing() -> None:
    async def run() -> None:
        runner = Runner()
        runner.stored = 1
        async with client(runner) as web:
            first = await web.get("/at/page")
            runner.asked.clear()
            assert (await web.get("/at/page")).text == first.text
            assert runner.asked == []
            await web.get("/at/page?period=7d")
            asked_by_another = len(runner.asked)
            runner.stored = 2
            await web.get("/at/page")
            assert len(runner.asked) == 2 * asked_by_another > 0

    asyncio.run(run())


def test_what_is_late_or_began_before_the_data_changed_is_asked_again() -> None:
    async def run() -> None:
        runner = Runner()
        runner.held.add("event:page")
        runner.stored = 1
        async with client(runner) as web:
            assert late_sections((await web.get("/at/page")).text)
            runner.stored = 2
            coming = asyncio.create_task(web.get("/at/page"))
            await joined()
            runner.held.clear()
            runner.released.set()
            assert late_sections((await coming).text) == []
            runner.asked.clear()
            assert late_sections((await web.get("/at/page")).text) == []
            assert "event:page" in runner.asked

    asyncio.run(run())
