"""A site's page, and each of its sections alone for scripts that come back for what was late."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date

from litestar.response import Redirect, Template

from turnout.errors import BadInput, NotFound
from turnout.web import asking
from turnout.web.asking import card_part, chart_part
from turnout.web.fragments import Fragment
from turnout.web.mount import Desk, Mount, PageRequest, draw_template, read_parameters, unreadable
from turnout.web.page.answers import Age, CardAnswer, ChartAnswer, Missing
from turnout.web.page.cards import CARDS_BY_ID
from turnout.web.page.drawing import Answers, draw, draw_bar, draw_chart, draw_one_card
from turnout.web.page.filter_form import take_typed_filter
from turnout.web.page.questions import Questions, ask, needs_first_day
from turnout.web.page.state import View, read_view, write_view
from turnout.web.patience import Old, Part, are_anew, in_time
from turnout.web.together import drawn, takes_last

SECTION_PATIENCE_S = 5.0
"""How long a section that is asked for alone is waited for; then it is drawn as late once more, with its place by then."""


async def site_page(
    request: PageRequest, mount: Mount, desk: Desk, *, patience_s: float | None = None
) -> Template | Redirect:
    """A site's numbers, as the address asks for them, drawn with those that have come in after `patience_s`.

    That is `asking.PATIENCE_S` unless given.
    """
    patience_s = asking.PATIENCE_S if patience_s is None else patience_s
    try:
        parameters = read_parameters(request)
        typed = take_typed_filter(parameters)
        view = read_view(typed or parameters)
    except BadInput as bad:
        return unreadable(request, mount, bad)
    if typed is not None:
        return Redirect(request.url.path + write_view(view), status_code=303)
    until = asyncio.get_running_loop().time() + patience_s
    fragment = await _numbers(request, mount, desk, view, until)
    left_s = max(until - asyncio.get_running_loop().time(), 0.1)
    has_events = not fragment.is_empty or await _first_day(mount, desk, left_s) is not None
    script = (desk.settings.public_url or str(request.base_url)).rstrip("/") + "/js/script.js"
    context: dict[str, object] = {
        "bar": fragment.bar if has_events else None,
        "controls": fragment.controls,
        "numbers": fragment.main,
        "has_events": has_events,
        "script_url": script,
    }
    return draw_template("site.html", mount, context)


async def site_card(
    request: PageRequest, mount: Mount, desk: Desk, card_id: str, *, patience_s: float = SECTION_PATIENCE_S
) -> Template:
    """One section alone: a card, or headline and chart as `chart`. Raises `NotFound` for others."""
    if card_id != "chart" and card_id not in CARDS_BY_ID:
        raise NotFound(f"no section {card_id[:40]!r} on this page")
    try:
        view = read_view(read_parameters(request))
    except BadInput as bad:
        return unreadable(request, mount, bad)
    now = desk.now(mount.site)
    first_day = await desk.runner.first_day(mount.site) if needs_first_day(view) else None
    questions = ask(view, now, first_day)
    parts = _parts(mount, desk, view, questions, [] if card_id == "chart" else [card_id])
    answers = await _ask(parts, patience_s)
    if card_id == "chart":
        chart = draw_chart(view, questions, answers, now)
        context: dict[str, object] = {"chart": chart, "bar": draw_bar(view, questions, now)}
        return draw_template("_chart_alone.html", mount, context)
    card = draw_one_card(view, CARDS_BY_ID[card_id], questions, answers, cities=desk.has_cities)
    return draw_template("_card_alone.html", mount, {"card": card})


async def _numbers(request: PageRequest, mount: Mount, desk: Desk, view: View, until: float) -> Fragment:
    """The numbers as they are known by `until`, a time of the loop: at once where this very page was drawn of these data, or
    just before and somebody else has it drawn anew."""
    now, loop = desk.now(mount.site), asyncio.get_running_loop()
    page, state = (mount.site, mount.page_path, view), desk.runner.state()
    if takes_last(request.scope) and (last := desk.fragments.last(page)) is not None:
        return last
    first_day = await _first_day(mount, desk, until - loop.time()) if needs_first_day(view) else None
    questions = ask(view, now, first_day if isinstance(first_day, date) else None)
    # Minutes matter: a running day is drawn up to now.
    asked = (state, questions.span, questions.before, now.replace(second=0, microsecond=0))
    found = desk.fragments.latest(page, asked)
    if found is not None:
        drawn(request.scope)
        return found
    answers, is_of_now = Answers(), False
    if not isinstance(first_day, Missing):
        parts = _parts(mount, desk, view, questions, list(CARDS_BY_ID))
        is_of_now = are_anew(parts.values())
        answers = await _ask(parts, max(until - loop.time(), 0.0))

    def make() -> Fragment:
        drawing = draw(view, questions, answers, now, cities=desk.has_cities)
        return Fragment(drawing, {"site": mount.site, "page_path": mount.page_path}, answers)

    fragment = desk.fragments.get((*page, asked[-1]), answers, make)
    if is_of_now and answers.identity() is not None:
        desk.fragments.keep(page, asked, fragment)
        drawn(request.scope)
    return fragment


def _parts(
    mount: Mount, desk: Desk, view: View, questions: Questions, cards: list[str]
) -> dict[str, Part[ChartAnswer | CardAnswer]]:
    """The chart, whose visitors every card's shares are of, and the cards."""
    parts = {"chart": chart_part(desk.runner, mount.site, questions)}
    for card_id in cards:
        parts[card_id] = card_part(desk.runner, mount.site, view, questions, card_id)
    return parts


async def _ask(parts: Mapping[str, Part[ChartAnswer | CardAnswer]], patience_s: float) -> Answers:
    """Their answers."""
    found = await in_time(parts, patience_s=patience_s)
    ages = {name: Age(one.age_s, one.late.place) for name, one in found.items() if isinstance(one, Old)}
    answers = {name: one.answer if isinstance(one, Old) else one for name, one in found.items()}
    chart = answers.pop("chart")
    return Answers(
        chart=Missing(is_late=False) if isinstance(chart, CardAnswer) else chart,
        cards={name: answer for name, answer in answers.items() if not isinstance(answer, ChartAnswer)},
        ages=ages,
    )


async def _first_day(mount: Mount, desk: Desk, patience_s: float) -> date | Missing | None:
    part = Part((desk.runner, mount.site, "first_day"), lambda: desk.runner.first_day(mount.site))
    found = (await in_time({"first_day": part}, patience_s=patience_s))["first_day"]
    return found.answer if isinstance(found, Old) else found
