"""Asks the questions of a page's sections, each as one part that can be late or fail without the others."""

from __future__ import annotations

import asyncio

from turnout.model.site import Site
from turnout.query.run import QueryRunner
from turnout.web.page.answers import CardAnswer, ChartAnswer
from turnout.web.page.cards import CARDS_BY_ID
from turnout.web.page.questions import CardQuestion, ChartQuestion, Questions, event_total, event_values
from turnout.web.page.state import View
from turnout.web.patience import Part

PATIENCE_S = 1.0
"""How long a page waits for its numbers, all together, before it is drawn with those it has."""


def chart_part(runner: QueryRunner, site: Site, questions: Questions) -> Part[ChartAnswer | CardAnswer]:
    """The headline numbers and the chart."""
    question = questions.chart
    return Part((runner, site, question), lambda: ask_chart(runner, site, question), is_remembered=True)


def card_part(
    runner: QueryRunner, site: Site, view: View, questions: Questions, card_id: str
) -> Part[ChartAnswer | CardAnswer]:
    """One card."""
    chosen = (view.event, view.prop) if card_id == "events" else ()
    key = (runner, site, card_id, chosen, questions.cards[card_id])
    return Part(key, lambda: ask_card(runner, site, view, questions, card_id), is_remembered=True)


async def ask_chart(runner: QueryRunner, site: Site, question: ChartQuestion) -> ChartAnswer:
    """The headline numbers and the chart. Raises as `QueryRunner.answer` does."""
    headline, series, *before = await runner.answer_all(site, question.in_order)
    if not before:
        return ChartAnswer(headline=headline, series=series)
    return ChartAnswer(headline=headline, series=series, headline_before=before[0], series_before=before[1])


async def ask_card(runner: QueryRunner, site: Site, view: View, questions: Questions, card_id: str) -> CardAnswer:
    """One card. Raises as `QueryRunner.answer` does."""
    if card_id == "events" and view.event:
        return await _ask_event(runner, site, view, questions)
    return await _rows(runner, site, questions.cards[card_id])


async def _ask_event(runner: QueryRunner, site: Site, view: View, questions: Questions) -> CardAnswer:
    names, totals = await asyncio.gather(
        runner.property_names(site, questions.span.range, view.event),
        runner.answer(site, event_total(view, questions.span)),
    )
    prop = view.prop or (names[0] if names else "")
    if prop and prop not in names:
        names = (*names, prop)
    card = CARDS_BY_ID["events"]
    question = event_values(view, questions.span, questions.before, card, prop) if prop else questions.cards["events"]
    answer = await _rows(runner, site, question)
    return CardAnswer(rows=answer.rows, before=answer.before, totals=totals, properties=names, prop=prop)


async def _rows(runner: QueryRunner, site: Site, question: CardQuestion) -> CardAnswer:
    rows, *before = await runner.answer_all(site, question.in_order)
    return CardAnswer(rows=rows, before=before[0] if before else None)
