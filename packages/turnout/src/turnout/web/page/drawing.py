"""Answers to what the template draws: every text written, every address made, no decision left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from turnout.web.page.answers import Age, CardAnswer, ChartAnswer, Missing, totals_of
from turnout.web.page.card_drawing import CardDrawing, draw_card
from turnout.web.page.cards import CARDS, Card
from turnout.web.page.chart_section import ChartSection, draw_chart_section
from turnout.web.page.filter_bar import FilterBar, draw_filters
from turnout.web.page.links import address
from turnout.web.page.period_bar import PeriodBar, draw_periods
from turnout.web.page.questions import Questions
from turnout.web.page.state import Pairs, View, write_view

LATE = Missing(is_late=True)


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """The controls above the numbers: of a site's page, and of a card's details."""

    periods: PeriodBar
    filters: FilterBar
    realtime: str
    query: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    bar: Bar
    chart: ChartSection
    cards: tuple[CardDrawing, ...]


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What came in, by card; a card that is not there is late. `ages` has those that are old, the chart as `chart`."""

    chart: ChartAnswer | Missing = LATE
    cards: Mapping[str, CardAnswer | Missing] = {}
    ages: Mapping[str, Age] = {}

    def identity(self) -> tuple[object, ...] | None:
        """What tells these answers from equal ones of other data, while they are alive; None where some are
        missing or old."""
        if self.ages:
            return None
        if isinstance(self.chart, Missing) or set(self.cards) != {card.id for card in CARDS}:
            return None
        parts: list[object] = [id(result) for result in msgspec.structs.astuple(self.chart)]
        for name, answer in sorted(self.cards.items()):
            if isinstance(answer, Missing):
                return None
            parts += [name, id(answer.rows), id(answer.before), id(answer.totals), answer.properties, answer.prop]
        return tuple(parts)


def draw(view: View, questions: Questions, answers: Answers, now: datetime, *, cities: bool) -> Drawing:
    """The page for the answers to `questions`. `now`: the site's wall clock, aware; `cities`: regions are known."""
    return Drawing(
        bar=draw_bar(view, questions, now),
        chart=draw_chart(view, questions, answers, now),
        cards=tuple(draw_one_card(view, card, questions, answers, cities=cities) for card in CARDS),
    )


def draw_chart(view: View, questions: Questions, answers: Answers, now: datetime) -> ChartSection:
    """Headline and chart alone."""
    return replace(draw_chart_section(view, questions, answers.chart, now), age=answers.ages.get("chart"))


def draw_one_card(view: View, card: Card, questions: Questions, answers: Answers, *, cities: bool) -> CardDrawing:
    """One card alone."""
    everyone = None if isinstance(answers.chart, Missing) else totals_of(questions.chart, answers.chart)["visitors"]
    drawing = draw_card(view, card, questions, answers.cards.get(card.id, LATE), everyone, cities=cities)
    age = answers.ages.get(card.id)
    return drawing if age is None else replace(drawing, age=age, is_whole=False)


def draw_bar(view: View, questions: Questions, now: datetime, extra: Pairs = ()) -> Bar:
    """The controls. `extra`: what the page keeps in its address beside the view."""
    return Bar(
        periods=draw_periods(view, questions.span, questions.before, now, extra),
        filters=draw_filters(view, extra),
        realtime=address(view, period="realtime", first=None, last=None, interval=""),
        query=write_view(view),
    )
