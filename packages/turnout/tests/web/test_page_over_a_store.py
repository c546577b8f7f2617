from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

import pytest

from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId
from turnout.query.run import QueryRunner
from turnout.web.asking import ask_card, ask_chart
from turnout.web.page.cards import CARDS_BY_ID
from turnout.web.page.drawing import Answers, Drawing, draw
from turnout.web.page.intervals import INTERVALS
from turnout.web.page.periods import PERIODS
from turnout.web.page.questions import ask
from turnout.web.page.state import METRICS, View, read_view

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)


def page_of(runner: QueryRunner, address: str) -> Drawing:
    """The page at an address, from the store's own answers."""
    view = read_view(parse_qsl(address.removeprefix("?").partition("#")[0]))
    return draw_view(runner, view)


def draw_view(runner: QueryRunner, view: View) -> Drawing:
    async def answer() -> Drawing:
        questions = ask(view, NOW, await runner.first_day(SITE))
        answers = Answers(
            chart=await ask_chart(runner, SITE, questions.chart),
            cards={card: await ask_card(runner, SITE, view, questions, card) for card in CARDS_BY_ID},
        )
        return draw(view, questions, answers, NOW, cities=True)

    return asyncio.run(answer())


def count(events: list[Event], of: Callable[[Event], str]) -> Counter[str]:
    """Visitors by a value, counted slowly."""
    return Counter(value for value, _ in {(of(event), event.visitor) for event in events})


def views(events: list[Event]) -> list[Event]:
    return [event for event in events if event.name == "pageview"]


def test_the_headline_numbers_are_a_recount_of_the_events(runner: QueryRunner, month: list[Event]) -> None:
    page = page_of(runner, "?")
    visitors = len({event.visitor for event in month})
    pageviews = views(month)
    assert [head.full for head in page.chart.headlines[:4]] == [
        f"{visitors:,}",
        f"{visitors:,}",
        f"{len(pageviews):,}",
        f"{len(pageviews) / visitors:.2f}",
    ]
    assert page.bar.periods.words == "25 Oct – 24 Nov 2026"


def test_the_chart_adds_up_to_the_headline(runner: QueryRunner, month: list[Event]) -> None:
    points = page_of(runner, "?metric=pageviews").chart.charts[0].points
    assert len(points) == 31
    assert sum(int(point.value.replace(",", "")) for point in points) == len(views(month))


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
    kept = [event for event in views(month) if event.country == "DE"]
    assert row.label == "Germany"
    assert page.chart.headlines[2].full == f"{len(kept):,}"
    assert [chip.text for chip in page.bar.filters.chips] == ["Country is Germany"]
    assert page_of(runner, page.bar.filters.chips[0].without).chart.headlines[2].full == f"{len(views(month)):,}"


def test_a_value_that_is_not_known_can_be_clicked_too(runner: QueryRunner, month: list[Event]) -> None:
    direct = next(row for row in page_of(runner, "?").cards[0].rows if row.label == "Direct / None")
    kept = [event for event in views(month) if not event.source]
    assert page_of(runner, direct.href).chart.headlines[2].full == f"{len(kept):,}"


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_and_every_link_on_its_page_can_be_drawn(period: str, runner: QueryRunner) -> None:
    page = draw_view(runner, View(period=period))
    links = [choice.href for card in page.cards for choice in card.tabs] + [head.href for head in page.chart.headlines]
    for link in links:
        assert len(page_of(runner, link).chart.headlines) == len(METRICS)


def test_nothing_that_matches_is_an_empty_page(runner: QueryRunner) -> None:
    page = page_of(runner, "?f=is,visit:country,AQ")
    assert page.chart.is_empty
    assert [card.rows for card in page.cards] == [()] * 5


def test_all_time_begins_with_the_first_event(runner: QueryRunner) -> None:
    assert draw_view(runner, View(period="all")).bar.periods.first == date(2026, 10, 25)


@pytest.mark.parametrize("value", ["%00", "%FF", "'; drop table events; --", "%25_", "\\\\", "😀"])
@pytest.mark.parametrize("operator", ["is", "contains"])
def test_odd_values_match_nothing_and_break_nothing(operator: str, value: str, runner: QueryRunner) -> None:
    assert page_of(runner, f"?f={operator},event:page,{value}").chart.is_empty


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("period", ["realtime", "24h", "today", "7d", "91d", "12mo"])
def test_the_chart_adds_up_by_every_interval(period: str, interval: str, runner: QueryRunner) -> None:
    section = page_of(runner, f"?period={period}&interval={interval}&metric=pageviews").chart
    pageviews = int(section.headlines[2].full.replace(",", ""))
    assert sum(int(row.value.replace(",", "")) for row in section.table) == pageviews


def test_the_last_24_hours_are_a_recount(runner: QueryRunner, month: list[Event]) -> None:
    since = datetime(2026, 11, 23, 14, tzinfo=UTC).timestamp() * 1000
    assert page_of(runner, "?period=24h").chart.headlines[2].full == str(
        sum(event.at_ms >= since for event in views(month))
    )


def test_yesterday_until_now_is_what_today_is_compared_with(runner: QueryRunner, month: list[Event]) -> None:
    section = page_of(runner, "?period=today&compare=previous").chart
    begin, end = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 23, 13, 41, tzinfo=UTC)
    before = sum(begin.timestamp() * 1000 <= event.at_ms < end.timestamp() * 1000 for event in views(month))
    change = section.headlines[2].change
    assert change is not None
    assert f"{before:,} in 23 Nov 2026 until 13:40" in change.title
    assert len(section.table) == 14
    assert section.table[-1].label_before == "Mon 23 Nov, 13:00"


@pytest.mark.parametrize("compare", ["previous", "year"])
@pytest.mark.parametrize("period", PERIODS)
def test_every_period_can_be_compared_or_says_that_it_is_not(period: str, compare: str, runner: QueryRunner) -> None:
    page = page_of(runner, f"?period={period}&compare={compare}")
    is_compared = period != "all" and (period, compare) != ("realtime", "year")
    assert bool(page.bar.periods.compared) == is_compared
    assert [head.change is not None for head in page.chart.headlines] == [is_compared] * len(METRICS)


def test_a_row_says_how_it_changed(runner: QueryRunner, month: list[Event]) -> None:
    page = page_of(runner, "?period=7d&compare=previous")
    row = page.cards[3].rows[0]
    begin, end = datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 16, 13, 41, tzinfo=UTC)
    before = [e for e in month if begin.timestamp() * 1000 <= e.at_ms < end.timestamp() * 1000]
    assert (
        f"from {count(before, lambda event: event.browser)[row.label]} (9–16 Nov 2026 until 16 Nov, 13:40)" in row.hint
    )


def test_a_browser_that_is_filtered_by_shows_its_versions(runner: QueryRunner, month: list[Event]) -> None:
    page = page_of(runner, "?f=is,visit:browser,Chrome")
    devices = page.cards[3]
    assert [row.label for row in devices.rows] == ["Chrome 140"]
    assert [tab.label for tab in devices.more_tabs] == ["Chrome by version"]
    assert [chip.text for chip in page_of(runner, devices.rows[0].href).bar.filters.chips] == [
        "Browser is Chrome",
        "Browser version is 140",
    ]


def test_events_are_listed_with_how_often_and_lead_to_their_properties(runner: QueryRunner, month: list[Event]) -> None:
    page = page_of(runner, "?")
    signup = page.cards[4].rows[0]
    events = [event for event in month if event.name == "Signup"]
    visitors = len({event.visitor for event in events})
    assert (signup.label, signup.count, signup.events) == ("Signup", f"{visitors:,}", f"{len(events):,}")
    assert signup.href == "?event=Signup#events"
    card = page_of(runner, signup.href).cards[4]
    assert [tab.label for tab in card.more_tabs] == ["plan", "seats"]
    assert {row.label: int(row.events) for row in card.rows} == Counter(event.props["plan"] for event in events)
    seats = page_of(runner, card.more_tabs[1].href).cards[4]
    assert {row.label: int(row.events) for row in seats.rows} == Counter(
        event.props.get("seats", "(none)") for event in events
    )
    filtered = page_of(runner, card.rows[0].href)
    assert filtered.bar.filters.chips[0].text == f"plan is {card.rows[0].label}"
    assert filtered.chart.headlines[0].full == card.rows[0].count


def test_an_event_that_never_happened_has_nothing_to_show(runner: QueryRunner) -> None:
    card = page_of(runner, "?event=Nothing").cards[4]
    assert (card.rows, card.more_tabs) == ((), ())
    assert card.facts == "0 visitors, 0 times, 0\u00a0% of all visitors"


@pytest.mark.parametrize("compare", ["", "previous", "year"])
@pytest.mark.parametrize(
    "span",
    [
        "from=2000-01-01&to=2099-12-31",
        "from=2099-12-31&to=2099-12-31",
        "from=2000-01-01&to=2000-01-01",
        "from=2026-11-24&to=2026-12-31",
        "from=2026-11-01&to=2026-11-30",
        "from=2024-02-29&to=2024-02-29",
    ],
)
def test_odd_spans_are_drawn_with_every_interval(span: str, compare: str, runner: QueryRunner) -> None:
    for interval in INTERVALS:
        page = page_of(runner, f"?{span}&interval={interval}" + (f"&compare={compare}" if compare else ""))
        assert len(page.chart.charts) == 2
        assert bool(page.bar.periods.compared) == bool(compare)
