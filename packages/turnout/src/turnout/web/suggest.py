"""Values to filter by, as people type them: the most frequent ones of a dimension in the page's own period."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from turnout.errors import BadInput
from turnout.model.query import Comparison, Filter, Query
from turnout.model.site import Site
from turnout.query import dimensions
from turnout.web.mount import Desk
from turnout.web.page.cards import FILTER_DIMENSIONS
from turnout.web.page.filter_bar import value_words
from turnout.web.page.questions import needs_first_day, span_in
from turnout.web.page.state import View, read_view

SUGGESTIONS = 20
TYPED_LIMIT_CHARS = 200


class Suggestion(msgspec.Struct, frozen=True):
    """A value, how it is shown, and how many visitors it has in the period."""

    value: str
    label: str
    visitors: int


async def suggestions(site: Site, desk: Desk, parameters: Sequence[tuple[str, str]]) -> list[Suggestion]:
    """At most `SUGGESTIONS` of them. Raises `BadInput` with the parameter's name, and as `QueryRunner.answer` does."""
    single = dict(parameters)
    dimension = _dimension(single.get("dimension", ""))
    typed = single.get("q", "").strip()
    if len(typed) > TYPED_LIMIT_CHARS:
        raise BadInput("q", f"expected at most {TYPED_LIMIT_CHARS} characters, got {len(typed)}")
    view = read_view(parameters)
    first_day = await desk.runner.first_day(site) if needs_first_day(view) else None
    query = Query(
        metrics=("visitors",),
        range=span_in(view, desk.now(site), first_day).range,
        dimensions=(dimension,),
        filters=_filters(view, dimension, typed),
        order_by=(("visitors", "desc"),),
        limit=SUGGESTIONS,
    )
    result = await desk.runner.answer(site, query)
    return [
        Suggestion(row.dimensions[0], value_words(dimension, row.dimensions[0]), int(row.metrics[0] or 0))
        for row in result.rows
    ]


def _filters(view: View, dimension: str, typed: str) -> tuple[Filter, ...]:
    """The page's, but for those of the same dimension, which would offer only what is chosen already."""
    others = tuple(part for part in view.filters if part.dimension != dimension)
    if not typed:
        return others
    searched = "visit:country_name" if dimension == "visit:country" else dimension
    return (*others, Comparison("contains", searched, (typed,), case_sensitive=False))


def _dimension(name: str) -> str:
    is_property = name.startswith(dimensions.PROPERTY) and dimensions.find(name) is not None
    if name not in FILTER_DIMENSIONS and not is_property:
        expected = f"expected one of {', '.join(FILTER_DIMENSIONS)} or {dimensions.PROPERTY}NAME"
        raise BadInput("dimension", f"{expected}; got {name[:80]!r}")
    return name
