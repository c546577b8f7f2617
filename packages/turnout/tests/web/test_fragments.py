from __future__ import annotations

from turnout.model.query import Result
from turnout.web.fragments import KEPT, Fragments
from turnout.web.page.answers import CardAnswer, ChartAnswer, Missing
from turnout.web.page.cards import CARDS
from turnout.web.page.drawing import Answers


def answers(rows: Result | None = None) -> Answers:
    card = CardAnswer(rows=rows or Result(rows=()))
    return Answers(
        chart=ChartAnswer(headline=Result(rows=()), series=Result(rows=())), cards={one.id: card for one in CARDS}
    )


def test_the_same_answers_are_drawn_once_and_others_anew() -> None:
    fragments, made = Fragments(), []
    same, other = answers(), answers()
    for given in (same, same, other):
        fragments.get("page", given, lambda: made.append(1) or made)  # type: ignore[arg-type, func-returns-value]
    fragments.get("another page", same, lambda: made.append(1) or made)  # type: ignore[arg-type, func-returns-value]
    assert len(made) == 3


def test_what_is_not_whole_is_drawn_each_time() -> None:
    fragments, made = Fragments(), []
    late = Answers(chart=answers().chart, cards={**answers().cards, "pages": Missing(is_late=True)})
    for given in (late, late, Answers(), Answers()):
        fragments.get("page", given, lambda: made.append(1) or made)  # type: ignore[arg-type, func-returns-value]
    assert len(made) == 4


def test_only_the_latest_are_kept() -> None:
    fragments = Fragments()
    for _ in range(KEPT + 5):
        given = answers()
        fragments.get("page", given, lambda given=given: given)  # type: ignore[arg-type, return-value, misc]
    assert len(fragments._fragments) == KEPT
