"""Mend 5: the queries of a dashboard run once for all who ask within its time, and each of them is counted all the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType

import httpx
import pytest
from sqlalchemy import event, select

from lab.launch_day import story
from lab.launch_day.database import Database
from lab.launch_day.schema import Site
from lab.launch_day.seed import Crowd, Visit
from seawall import Cache

COMES_S = 60.0
LONG_S = 3600.0
"""So long that no machine is too slow for two to come within it."""


@pytest.fixture
def shared(service: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The service of step 5, with answers that stay fresh for as long as a test takes."""
    mended = service(*story.MENDS)
    for name in ("cards", "summed_up"):
        monkeypatch.setattr(mended, name, Cache(name, max_items=100, fresh_s=LONG_S, stale_s=0))
    yield mended
    mended.queries.shutdown()
    mended.sums.shutdown()


def look(service: ModuleType, visits: list[Visit]) -> list[httpx.Response]:
    """These people open their dashboards at the same time."""

    async def open_them() -> list[httpx.Response]:
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://lab", timeout=COMES_S) as client:
            cookies = [{"Cookie": f"session={visit.token}"} for visit in visits]
            asked = [client.get(f"/dashboard/{v.site_id}", headers=c) for v, c in zip(visits, cookies, strict=True)]
            return await asyncio.gather(*asked)

    return asyncio.run(open_them())


def count_queries(service: ModuleType) -> Counter[str]:
    """How often each table is selected from, from now on."""
    seen: Counter[str] = Counter()

    def before(_: object, __: object, statement: str, *___: object) -> None:
        words = statement.split()
        if words[0] == "SELECT":
            seen[words[words.index("FROM") + 1]] += 1

    event.listen(service.engine, "before_cursor_execute", before)
    return seen


def test_people_who_look_at_one_site_share_its_queries_and_are_each_checked_and_counted(
    shared: ModuleType, crowd: Crowd, server: Database
) -> None:
    visits = [visit for visit in crowd.visits if visit.site_id == 7]
    assert len(visits) > 3
    seen = count_queries(shared)
    answers = look(shared, visits)
    assert [answer.status_code for answer in answers] == [200] * len(visits)
    assert seen["events"] == 3
    assert seen["logins"] == len(visits)
    assert sorted(answer.json()["views"] for answer in answers) == list(range(1, len(visits) + 1))
    assert len({str(answer.json()["days"]) for answer in answers}) == 1
    assert server.views() == len(visits)


def test_a_shared_answer_is_only_for_those_who_may_see_the_site(shared: ModuleType, crowd: Crowd) -> None:
    site_id = crowd.visits[0].site_id
    allowed = {visit.token for visit in crowd.visits if visit.site_id == site_id}
    stranger = next(visit.token for visit in crowd.visits if visit.token not in allowed)
    (first,) = look(shared, [crowd.visits[0]])
    refused, unknown = look(shared, [Visit(stranger, site_id), Visit("no session", site_id)])
    assert (first.status_code, refused.status_code, unknown.status_code) == (200, 403, 401)


def test_two_sites_have_their_own_answers(shared: ModuleType, crowd: Crowd) -> None:
    one = crowd.visits[0]
    other = next(visit for visit in crowd.visits if visit.site_id != one.site_id)
    answers = [answer.json() for answer in look(shared, [one, other])]
    assert [answer["site"] for answer in answers] == [one.site_id, other.site_id]
    assert answers[0]["pages"] != answers[1]["pages"]


def test_sites_are_summed_up_once_for_all_who_sign_in(
    shared: ModuleType, server: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    summed: list[int] = []
    roll_up = shared.roll_up

    def noting(site_ids: list[int]) -> None:
        summed.extend(site_ids)
        roll_up(site_ids)

    monkeypatch.setattr(shared, "roll_up", noting)

    async def three_sign_in() -> None:
        await asyncio.gather(*(shared.roll_up_once(sites) for sites in ([1, 2], [2, 1], [2, 3])))

    asyncio.run(three_sign_in())
    assert sorted(summed) == [1, 2, 3]
    with server.engine.connect() as connection:
        assert all(connection.scalars(select(Site.visitors_today).where(Site.id.in_([1, 2, 3]))))
