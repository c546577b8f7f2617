"""Asks a page's questions all at once and waits for a while: what is late by then blocks nothing and runs on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from seawall import SeawallError
from turnout.errors import TurnoutError
from turnout.model.site import Site
from turnout.query.run import QueryRunner
from turnout.web.page.answers import CardAnswer, ChartAnswer, Missing
from turnout.web.page.cards import CARDS_BY_ID
from turnout.web.page.questions import CardQuestion, ChartQuestion, Questions, event_total, event_values
from turnout.web.page.state import View

PATIENCE_S = 1.0
"""How long a page waits for its numbers, all together, before it is drawn with those it has."""
LINGER_S = 10.0
"""How long a late question runs on for whoever comes back for it; who has come by then keeps it running himself."""
MAX_LINGERING = 60
"""Late questions that may run on at once, of all pages; one more is stopped, and asked anew when somebody returns."""

_LOG = logging.getLogger("turnout.web")
_lingering: set[asyncio.Task[Any]] = set()  # touched on the event loop alone

T = TypeVar("T")


async def in_time(parts: Mapping[str, Coroutine[Any, Any, T]], *, patience_s: float) -> dict[str, T | Missing]:
    """What the parts return within `patience_s`, all running at once; `Missing` for those that failed or are late.

    A late part runs on for `LINGER_S`. Equal questions share one run (`QueryRunner`), so the next one to ask joins it.
    All parts end when the caller is cancelled. Unforeseen errors are logged.
    """
    tasks = {name: asyncio.create_task(part) for name, part in parts.items()}
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=patience_s)
    except asyncio.CancelledError:
        for task in tasks.values():
            task.cancel()
        raise
    return {name: _outcome(name, task) for name, task in tasks.items()}


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


def _outcome(name: str, task: asyncio.Task[T]) -> T | Missing:
    if not task.done():
        _leave_running(name, task)
        return Missing(is_late=True)
    return Missing(is_late=False) if _has_failed(name, task) else task.result()


def _leave_running(name: str, task: asyncio.Task[Any]) -> None:
    if len(_lingering) >= MAX_LINGERING:
        task.cancel()
    else:
        _lingering.add(task)
        timer = asyncio.get_running_loop().call_later(LINGER_S, task.cancel)
        task.add_done_callback(lambda _: timer.cancel())
        task.add_done_callback(_lingering.discard)
    task.add_done_callback(lambda over: _has_failed(name, over))


def _has_failed(name: str, task: asyncio.Task[Any]) -> bool:
    if task.cancelled():
        return True
    error = task.exception()
    if error is not None and not isinstance(error, TurnoutError | SeawallError):
        _LOG.error("the part %s of a page failed", name, exc_info=error)
    return error is not None
