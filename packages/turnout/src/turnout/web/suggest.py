"""Values to filter by, as people type them: the most frequent ones of a dimension in the page's own period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from seawall.clock import Clock
from turnout.errors import BadInput
from turnout.model.query import Comparison, Filter, Query
from turnout.model.site import Principal, Site
from turnout.query import dimensions
from turnout.query.run import QueryRunner
from turnout.web.dashboard import SiteShelf, read_parameters
from turnout.web.page.cards import FILTER_DIMENSIONS
from turnout.web.page.drawing import value_words
from turnout.web.page.questions import ask, needs_first_day
from turnout.web.page.state import View, read_view

SUGGESTIONS = 20
TYPED_LIMIT_CHARS = 200


class Suggestion(msgspec.Struct, frozen=True):
    """A value, how it is shown, and how many visitors it has in the period."""

    value: str
    label: str
    visitors: int


@get("/sites/{domain:str}/suggest", include_in_schema=False)
async def suggest_values(
    request: Request[object, object, State],
    domain: FromPath[str],
    principal: NamedDependency[SkipValidation[Principal]],
    sites: NamedDependency[SkipValidation[SiteShelf]],
    runner: NamedDependency[SkipValidation[QueryRunner]],
    clock: NamedDependency[SkipValidation[Clock]],
) -> Response[list[Suggestion]]:
    """The values of `dimension` that contain `q`, most frequent first. The rest of the address is the page's.

    Raises `NotFound` where the site is not the person's, and `BadInput` with the parameter's name.
    """
    site = await sites.get(principal, domain)
    found = await suggestions(site, runner, clock, read_parameters(request))
    return Response(found, headers={"cache-control": "private, no-store"})


async def suggestions(
    site: Site, runner: QueryRunner, clock: Clock, parameters: Sequence[tuple[str, str]]
) -> list[Suggestion]:
    """At most `SUGGESTIONS` of them. Raises `BadInput` with the parameter's name, and as `QueryRunner.answer` does."""
    single = dict(parameters)
    dimension = _dimension(single.get("dimension", ""))
    typed = single.get("q", "").strip()
    if len(typed) > TYPED_LIMIT_CHARS:
        raise BadInput("q", f"expected at most {TYPED_LIMIT_CHARS} characters, got {len(typed)}")
    view = read_view(parameters)
    now = datetime.fromtimestamp(clock.time(), UTC).astimezone(ZoneInfo(site.timezone)).replace(tzinfo=None)
    first_day = await runner.first_day(site) if needs_first_day(view) else None
    query = Query(
        metrics=("visitors",),
        range=ask(view, now.date(), first_day).headline.range,
        dimensions=(dimension,),
        filters=_filters(view, dimension, typed),
        order_by=(("visitors", "desc"),),
        limit=SUGGESTIONS,
    )
    result = await runner.answer(site, query)
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
