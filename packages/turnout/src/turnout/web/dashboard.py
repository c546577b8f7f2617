"""The pages of a signed-in person: the list of sites, and a site's numbers. One request draws a whole page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from litestar import Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect, Template

from seawall.clock import Clock
from turnout.errors import BadInput
from turnout.model.site import Principal, Site
from turnout.query.run import QueryRunner
from turnout.settings import Settings
from turnout.web.page.drawing import draw
from turnout.web.page.filter_form import take_typed_filter
from turnout.web.page.questions import ask, needs_first_day
from turnout.web.page.state import read_view, write_view
from turnout.web.scope import on_site

PARAMETERS_LIMIT = 100
# A page of numbers is its reader's alone, and old as soon as it is drawn.
_HEADERS = {"cache-control": "private, no-store"}

PageRequest = Request[object, object, State]


class SiteShelf(Protocol):
    """The sites that someone may see: `Sites` in `sites/service.py`."""

    async def list(self, principal: Principal) -> Sequence[Site]:
        """All of them, by domain."""
        ...

    async def get(self, principal: Principal, domain: str) -> Site:
        """One of them. Raises `NotFound` where there is none, or `principal` may not know of it."""
        ...


@get("/sites/{domain:str}", opt=on_site("see_site", or_public=True))
async def show_site(
    request: PageRequest,
    site: NamedDependency[SkipValidation[Site]],
    viewer: NamedDependency[SkipValidation[Principal | None]],
    sites: NamedDependency[SkipValidation[SiteShelf]],
    runner: NamedDependency[SkipValidation[QueryRunner]],
    clock: NamedDependency[SkipValidation[Clock]],
    settings: NamedDependency[SkipValidation[Settings]],
) -> Template | Redirect:
    """A site's numbers, as the address asks for them. Raises `NotFound` where the site is not the person's."""
    try:
        parameters = _parameters(request)
        typed = take_typed_filter(parameters)
        view = read_view(typed or parameters)
    except BadInput as bad:
        return _unreadable(request, viewer, bad)
    if typed is not None:
        return Redirect(request.url.path + write_view(view), status_code=303)
    now = datetime.fromtimestamp(clock.time(), UTC).astimezone(ZoneInfo(site.timezone)).replace(tzinfo=None)
    first_day = await runner.first_day(site) if needs_first_day(view) else None
    questions = ask(view, now.date(), first_day)
    page = draw(
        view,
        questions,
        await runner.answer_all(site, questions.in_order),
        now,
        cities=settings.city_database is not None,
    )
    has_events = not page.is_empty or await runner.first_day(site) is not None
    return Template(
        "site.html",
        context={
            "principal": viewer,
            "site": site,
            "sites": await sites.list(viewer) if viewer else [site],
            "page": page if has_events else None,
            "has_events": has_events,
            "script_url": (settings.public_url or str(request.base_url)).rstrip("/") + "/js/script.js",
        },
        headers=_HEADERS,
    )


def _parameters(request: PageRequest) -> list[tuple[str, str]]:
    try:
        return parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=PARAMETERS_LIMIT)
    except ValueError:
        raise BadInput("", f"expected at most {PARAMETERS_LIMIT} parameters in the address") from None


def _unreadable(request: PageRequest, principal: Principal | None, bad: BadInput) -> Template:
    """Names the parameter, and links to the page without it."""
    rest = [] if not bad.field else [pair for pair in _parameters(request) if pair[0] != bad.field]
    return Template(
        "error.html",
        context={
            "principal": principal,
            "status": 400,
            "title": "This address can’t be read",
            "detail": str(bad),
            "back": f"{request.url.path}?{urlencode(rest)}",
        },
        headers=_HEADERS,
        status_code=400,
    )
