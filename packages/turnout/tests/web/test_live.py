from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, date, datetime

import pytest

from seawall import Overloaded
from seawall.testing import ManualClock
from turnout.errors import NotFound, NotSignedIn, StoreUnavailable
from turnout.model.site import Site, SiteId, UserId
from turnout.web.live import CHECK_AGAIN_S, live_stream
from turnout.web.live_hub import COUNT_ANYWAY_S, STALE_S, LiveHub, Now
from turnout.web.scope import is_still_admitted

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
OTHER = Site(SiteId(8), "other.example", "UTC", UserId(1))


class Store:
    """A store that a test fills. `fails`: it can't be asked."""

    def __init__(self) -> None:
        self.stored = 0
        self.visitors = 0
        self.day: date | None = None
        self.fails = False
        self.counted = 0
        self.since: datetime | None = None

    def store(self, visitors: int) -> None:
        self.stored += 1
        self.visitors = visitors

    def version(self) -> int:
        return self.stored

    async def visitors_now(self, site: Site, since: datetime) -> int:
        self.counted += 1
        self.since = since
        if self.fails:
            raise StoreUnavailable("down")
        return self.visitors

    async def first_day(self, site: Site) -> date | None:
        return self.day


class Watched:
    """A hub over a store, with a clock that the test moves."""

    def __init__(self, **limits: int) -> None:
        self.store = Store()
        self.clock = ManualClock(time_s=1_800_000_000.0)
        self.hub = LiveHub(self.store, self.clock, pace_s=0.001, **limits)
        self.may_watch = True

    def follow(self, person: object = 1, site: Site = SITE) -> AsyncGenerator[Now | None, None]:
        return self.hub.follow(site, person)

    def stream(self) -> AsyncGenerator[bytes, None]:
        async def may_watch() -> bool:
            return self.may_watch

        return live_stream(SITE, self.hub, self.clock, person=1, may_watch=may_watch)


async def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds; the test's own limit of time ends it where it never does."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (what is waited for has no event of its own)
            await asyncio.sleep(0)


def test_the_count_is_told_at_once_and_when_it_changes() -> None:
    async def watch() -> None:
        watched = Watched()
        watched.store.store(3)
        counts = watched.follow()
        assert await anext(counts) == Now(3, has_events=True)
        assert watched.store.since == datetime.fromtimestamp(1_800_000_000 - 300, UTC)
        watched.store.store(3)
        watched.store.store(4)
        assert await anext(counts) == Now(4, has_events=True)
        await counts.aclose()

    asyncio.run(watch())


def test_it_is_told_when_the_first_event_is_there_even_an_old_one() -> None:
    async def watch() -> None:
        watched = Watched()
        counts = watched.follow()
        assert await anext(counts) == Now(0, has_events=False)
        watched.store.day = date(2026, 1, 1)
        watched.store.store(0)
        assert await anext(counts) == Now(0, has_events=True)
        await counts.aclose()

    asyncio.run(watch())


def test_one_question_serves_all_who_watch_a_site_and_none_is_asked_in_vain() -> None:
    async def watch() -> None:
        watched = Watched()
        watched.store.store(2)
        readers = [watched.follow(person) for person in range(20)]
        assert {await anext(reader) for reader in readers} == {Now(2, has_events=True)}
        assert (watched.hub.watched_sites, watched.store.counted) == (1, 1)
        watched.store.visitors = 1  # one has left, and nothing was stored
        watched.clock.advance(COUNT_ANYWAY_S)
        assert {await anext(reader) for reader in readers} == {Now(1, has_events=True)}
        assert watched.store.counted == 2
        for reader in readers:
            await reader.aclose()

    asyncio.run(watch())


def test_fifty_streams_opened_and_closed_leave_nothing() -> None:
    async def watch() -> None:
        watched = Watched()
        before = asyncio.all_tasks()
        for _ in range(50):
            stream = watched.stream()
            assert (await anext(stream)).startswith(b"data: ")
            await stream.aclose()
            watched.stream()  # and one that nobody begins
        assert (watched.hub.open_streams, watched.hub.watched_sites) == (0, 0)
        await until(lambda: asyncio.all_tasks() == before)

    asyncio.run(watch())


def test_a_cancelled_reader_leaves_and_the_others_go_on() -> None:
    async def watch() -> None:
        watched = Watched()
        staying = watched.follow()
        await anext(staying)
        leaving = watched.follow()
        await anext(leaving)
        task = asyncio.ensure_future(anext(leaving))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert watched.hub.open_streams == 1
        watched.store.store(1)
        assert await anext(staying) == Now(1, has_events=True)
        await staying.aclose()

    asyncio.run(watch())


def test_streams_are_bounded_in_all_and_for_each() -> None:
    async def watch() -> None:
        watched = Watched(streams=3, streams_each=2)
        open_ones = [watched.follow("ada"), watched.follow("ada", OTHER), watched.follow("bob")]
        for one in open_ones:
            await anext(one)
        with pytest.raises(Overloaded, match="too many tabs") as refused:
            watched.hub.check_room("ada")
        assert refused.value.retry_after_s > 0
        with pytest.raises(Overloaded, match="too many watch"):
            watched.hub.check_room("eve")
        assert [count async for count in watched.follow("eve")] == []
        await open_ones[0].aclose()
        watched.hub.check_room("eve")
        for one in open_ones:
            await one.aclose()

    asyncio.run(watch())


def test_all_streams_end_when_the_server_stops() -> None:
    async def watch() -> None:
        watched = Watched()
        counts = [watched.follow(person) for person in range(5)]
        for one in counts:
            await anext(one)
        rest = [asyncio.ensure_future(anext(one, "end")) for one in counts]
        await asyncio.sleep(0)
        watched.hub.stop()
        assert await asyncio.gather(*rest) == ["end"] * 5
        assert watched.hub.open_streams == 0
        with pytest.raises(Overloaded, match="stopping"):
            watched.hub.check_room(1)

    asyncio.run(watch())


def test_a_stream_ends_when_its_reader_may_no_longer_see_the_site() -> None:
    async def watch() -> None:
        watched = Watched()
        stream = watched.stream()
        await anext(stream)
        watched.may_watch = False
        watched.store.store(1)
        assert await anext(stream) == b'data: {"visitors":1,"has_events":true}\n\n'
        watched.clock.advance(CHECK_AGAIN_S)
        watched.store.store(2)
        assert [said async for said in stream] == []
        assert watched.hub.open_streams == 0

    asyncio.run(watch())


def test_a_silent_stream_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnout.web.live_hub.BEAT_S", 0.001)

    async def watch() -> None:
        stream = Watched().stream()
        assert (await anext(stream)).startswith(b"data: ")
        assert await anext(stream) == b": still here\n\n"
        await stream.aclose()

    asyncio.run(watch())


def test_a_store_that_fails_for_a_moment_is_asked_again_and_one_that_fails_for_long_ends_the_stream() -> None:
    async def watch() -> None:
        watched = Watched()
        counts = watched.follow()
        await anext(counts)
        watched.store.fails = True
        watched.store.store(1)
        asked = watched.store.counted
        await until(lambda: watched.store.counted > asked + 1)
        watched.store.fails = False
        assert await anext(counts) == Now(1, has_events=True)
        watched.store.fails = True
        watched.clock.advance(STALE_S)
        assert [count async for count in counts] == []

    asyncio.run(watch())


class Connection:
    """As the guard leaves one: with what asks again."""

    def __init__(self, outcome: Exception | None) -> None:
        self.state = {"admit_again": self._admit}
        self._outcome = outcome

    async def _admit(self) -> None:
        if self._outcome is not None:
            raise self._outcome


@pytest.mark.parametrize(
    ("outcome", "is_admitted"),
    [
        (None, True),
        (NotSignedIn("the session is over"), False),
        (NotFound("no longer yours"), False),
        (StoreUnavailable("who knows"), False),
    ],
)
def test_whoever_the_guard_would_not_admit_now_is_told_no_more(outcome: Exception | None, is_admitted: bool) -> None:
    connection = Connection(outcome)
    assert asyncio.run(is_still_admitted(connection)) is is_admitted  # type: ignore[arg-type]
