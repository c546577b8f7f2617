from __future__ import annotations

import asyncio
from collections import Counter
from urllib.parse import parse_qsl

import pytest

from seawall.testing import ManualClock
from turnout.errors import BadInput
from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId
from turnout.query.run import QueryRunner
from turnout.settings import Settings
from turnout.web.mount import Desk
from turnout.web.suggest import SUGGESTIONS, Suggestion, suggestions

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
NOW_S = 1_795_527_600.0  # 2026-11-24, a little after noon


def suggested(runner: QueryRunner, asked: str) -> list[Suggestion]:
    parameters = parse_qsl(asked, keep_blank_values=True)
    desk = Desk(runner, ManualClock(time_s=NOW_S), Settings())
    return asyncio.run(suggestions(SITE, desk, parameters))


def recount(events: list[Event], column: str) -> dict[str, int]:
    return Counter(value for value, _ in {(getattr(event, column), event.visitor) for event in events})


def test_values_come_most_frequent_first_with_their_visitors(runner: QueryRunner, month: list[Event]) -> None:
    found = suggested(runner, "dimension=event:page&q=")
    assert {one.value: one.visitors for one in found} == recount(month, "page")
    assert [one.visitors for one in found] == sorted((one.visitors for one in found), reverse=True)


def test_what_is_typed_may_stand_anywhere_in_any_case(runner: QueryRunner) -> None:
    assert [one.value for one in suggested(runner, "dimension=visit:source&q=HACK")] == ["Hacker News"]
    assert suggested(runner, "dimension=visit:source&q=nowhere") == []


def test_countries_are_found_by_name_and_chosen_by_code(runner: QueryRunner) -> None:
    found = suggested(runner, "dimension=visit:country&q=german")
    assert [(one.value, one.label) for one in found] == [("DE", "Germany")]


def test_the_page_s_period_and_other_filters_hold(runner: QueryRunner, month: list[Event]) -> None:
    page = "period=today&f=is,visit:country,DE&f=is,event:page,/launch"
    today = [event for event in month if event.local_ms >= 1_795_478_400_000 and event.country == "DE"]
    found = suggested(runner, f"dimension=event:page&{page}")
    assert {one.value: one.visitors for one in found} == recount(today, "page")


def test_properties_have_values_too(runner: QueryRunner, month: list[Event]) -> None:
    found = suggested(runner, "dimension=event:props:plan")
    plans = {(event.props["plan"], event.visitor) for event in month if "plan" in event.props}
    expected = Counter(plan for plan, _ in plans)
    assert {one.value: one.visitors for one in found if one.value != "(none)"} == expected


def test_there_are_few_of_them(runner: QueryRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnout.web.suggest.SUGGESTIONS", 2)
    assert len(suggested(runner, "dimension=event:page")) == 2
    assert SUGGESTIONS == 20


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("dimension=nothing&q=a", "dimension"),
        ("q=a", "dimension"),
        ("dimension=event:props:", "dimension"),
        (f"dimension=event:page&q={'x' * 201}", "q"),
        ("dimension=event:page&period=fortnight", "period"),
    ],
)
def test_what_cannot_be_asked_names_its_parameter(asked: str, field: str, runner: QueryRunner) -> None:
    with pytest.raises(BadInput) as refused:
        suggested(runner, asked)
    assert refused.value.field == field
