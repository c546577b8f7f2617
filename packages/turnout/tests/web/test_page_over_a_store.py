from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import parse_qsl

import pytest

from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId
from turnout.query.run import QueryRunner
from turnout.web.page.drawing import Drawing, draw
from turnout.web.page.periods import PERIODS
from turnout.web.page.questions import ask
from turnout.web.page.state import METRICS, View, read_view

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
NOW = datetime(2026, 11, 24, 13, 40)


def page_of(runner: QueryRunner, address: str) -> Drawing:
    """The page at an address, from the store's own answers."""
    view = read_view(parse_qsl(address.removeprefix("?").partition("#")[0]))
    return draw_view(runner, view)


def draw_view(runner: QueryRunner, view: View) -> Drawing:
    async def answer() -> Drawing:
        questions = ask(view, NOW.date(), await runner.first_day(SITE))
        return draw(view, questions, await runner.answer_all(SITE, questions.in_order), NOW, cities=True)

    return asyncio.run(answer())


def count(events: list[Event], of: Callable[[Event], str]) -> Counter[str]:
    """Visitors by a value, counted slowly."""
    return Counter(value for value, _ in {(of(event), event.visitor) for event in events})


def test_the_headline_numbers_are_a_recount_of_the_events(runner: QueryRunner, month: list[Event]) -> None:
    page = page_of(runner, "?")
    visitors = len({event.visitor for event in month})
    assert [head.full for head in page.headlines[:4]] == [
        f"{visitors:,}",
        f"{visitors:,}",
        f"{len(month):,}",
        f"{len(month) / visitors:.2f}",
    ]
    assert page.days == "25 Oct – 24 Nov 2026"


def test_the_chart_adds_up_to_the_headline(runner: QueryRunner, month: list[Event]) -> None:
    points = page_of(runner, "?metric=pageviews").charts[0].points
    assert len(points) == 31
    assert sum(int(point.value.replace(",", "")) for point in points) == len(month)


@pytest.mark.parametrize(
    ("card", "of"),
    [
        (0, lambda event: event.source or "Direct / None"),
        (1, lambda event: event.page),
        (3, lambda event: event.browser),
    ],
)
def test_a_card_is_a_recount_of_the_events(
    card: int, of: Callable[[Event], str], runner: QueryRunner, month: list[Event]
) -> None:
    drawn = {row.label: int(row.count.replace(",", "")) for row in page_of(runner, "?").cards[card].rows}
    assert drawn == count(month, of)


def test_a_click_on_a_row_filters_every_number(runner: QueryRunner, month: list[Event]) -> None:
    row = page_of(runner, "?").cards[2].rows[0]
    page = page_of(runner, row.href)
    kept = [event for event in month if event.country == "DE"]
    assert row.label == "Germany"
    assert page.headlines[2].full == f"{len(kept):,}"
    assert [chip.text for chip in page.chips] == ["Country is Germany"]
    assert page_of(runner, page.chips[0].without).headlines[2].full == f"{len(month):,}"


def test_a_value_that_is_not_known_can_be_clicked_too(runner: QueryRunner, month: list[Event]) -> None:
    direct = next(row for row in page_of(runner, "?").cards[0].rows if row.label == "Direct / None")
    kept = [event for event in month if not event.source]
    assert page_of(runner, direct.href).headlines[2].full == f"{len(kept):,}"


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_and_every_link_on_its_page_can_be_drawn(period: str, runner: QueryRunner) -> None:
    page = draw_view(runner, View(period=period))
    links = [choice.href for card in page.cards for choice in card.tabs] + [head.href for head in page.headlines]
    for link in links:
        assert len(page_of(runner, link).headlines) == len(METRICS)


def test_nothing_that_matches_is_an_empty_page(runner: QueryRunner) -> None:
    page = page_of(runner, "?f=is,visit:country,AQ")
    assert page.is_empty
    assert [card.rows for card in page.cards] == [()] * 4


def test_all_time_begins_with_the_first_event(runner: QueryRunner) -> None:
    assert draw_view(runner, View(period="all")).first == date(2026, 10, 25)


@pytest.mark.parametrize("value", ["%00", "%FF", "'; drop table events; --", "%25_", "\\\\", "😀"])
@pytest.mark.parametrize("operator", ["is", "contains"])
def test_odd_values_match_nothing_and_break_nothing(operator: str, value: str, runner: QueryRunner) -> None:
    assert page_of(runner, f"?f={operator},event:page,{value}").is_empty
