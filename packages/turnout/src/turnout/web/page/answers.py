"""The answers to a page's questions, as they came in: some may be missing."""

from __future__ import annotations

import msgspec

from turnout.model.query import Result
from turnout.web.page.questions import ChartQuestion


class Missing(msgspec.Struct, frozen=True):
    """No answer: it is still being counted (`is_late`), or it could not be. `place`: where it stands in line, from 1."""

    is_late: bool
    place: int | None = None


class Age(msgspec.Struct, frozen=True):
    """An answer is `age_s` seconds old, while a fresh one is counted, or queued with a `place`."""

    age_s: float
    place: int | None = None

    @property
    def words(self) -> str:
        """`12 s old`; minutes from two of them on."""
        return f"{self.age_s:.0f} s old" if self.age_s < 120 else f"{self.age_s / 60:.0f} min old"


class ChartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Headline numbers and chart."""

    headline: Result
    series: Result
    headline_before: Result | None = None
    series_before: Result | None = None


class CardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a card. Of a chosen event: its totals, the names of its properties, and the one whose values they
    are."""

    rows: Result
    before: Result | None = None
    totals: Result | None = None
    properties: tuple[str, ...] = ()
    prop: str = ""


def totals_of(question: ChartQuestion, answer: ChartAnswer) -> dict[str, float]:
    """The headline numbers; visitors from the chart where the headline leaves them to it."""
    totals = _named(question.headline.metrics, answer.headline)
    if "visitors" not in totals:
        totals["visitors"] = float(sum(row.metrics[0] or 0 for row in answer.series.rows))
    return totals


def totals_before(question: ChartQuestion, answer: ChartAnswer) -> dict[str, float] | None:
    """The headline numbers of the time before; None where nothing is compared."""
    if question.headline_before is None or answer.headline_before is None:
        return None
    return _named(question.headline_before.metrics, answer.headline_before)


def _named(metrics: tuple[str, ...], result: Result) -> dict[str, float]:
    values = result.rows[0].metrics if result.rows else (0,) * len(metrics)
    return {metric: float(value or 0) for metric, value in zip(metrics, values, strict=True)}
