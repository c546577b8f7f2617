"""The pages of a signed-in person: the list of sites, and a site's numbers. One request draws a whole page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Protocol
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo, available_timezones

from litestar import Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
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


@get("/sites")
async def list_sites(
    principal: NamedDependency[SkipValidation[Principal]], sites: NamedDependency[SkipValidation[SiteShelf]]
) -> Template:
    """The sites of the person, and the form that adds one (posted to /sites)."""
    return sites_page(principal, await sites.list(principal))


@get("/sites/{domain:str}")
async def show_site(
    request: PageRequest,
    domain: FromPath[str],
    principal: NamedDependency[SkipValidation[Principal]],
    sites: NamedDependency[SkipValidation[SiteShelf]],
    runner: NamedDependency[SkipValidation[QueryRunner]],
    clock: NamedDependency[SkipValidation[Clock]],
    settings: NamedDependency[SkipValidation[Settings]],
) -> Template | Redirect:
    """A site's numbers, as the address asks for them. Raises `NotFound` where the site is not the person's."""
    site = await sites.get(principal, domain)
    try:
        parameters = read_parameters(request)
        typed = take_typed_filter(parameters)
        view = read_view(typed or parameters)
    except BadInput as bad:
        return _unreadable(request, principal, bad)
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
            "principal": principal,
            "site": site,
            "sites": await sites.list(principal),
            "page": page if has_events else None,
            "has_events": has_events,
            "script_url": (settings.public_url or str(request.base_url)).rstrip("/") + "/js/script.js",
        },
        headers=_HEADERS,
    )


def sites_page(
    principal: Principal,
    sites: Sequence[Site],
    *,
    error: BadInput | None = None,
    domain: str = "",
    timezone: str = "",
    status_code: int = 200,
) -> Template:
    """The list of sites; with what was typed and its error where a site could not be added."""
    return Template(
        "sites.html",
        context={
            "principal": principal,
            "sites": sites,
            "error": error,
            "domain": domain,
            "timezone": timezone,
            "timezones": _timezones(),
        },
        headers=_HEADERS,
        status_code=status_code,
    )


def read_parameters(request: PageRequest) -> list[tuple[str, str]]:
    """The parameters of an address, in order. Raises `BadInput` where there are too many."""
    try:
        return parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=PARAMETERS_LIMIT)
    except ValueError:
        raise BadInput("", f"expected at most {PARAMETERS_LIMIT} parameters in the address") from None


def _unreadable(request: PageRequest, principal: Principal, bad: BadInput) -> Template:
    """Names the parameter, and links to the page without it."""
    rest = [] if not bad.field else [pair for pair in read_parameters(request) if pair[0] != bad.field]
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


@cache
def _timezones() -> tuple[str, ...]:
    """The names offered: places and UTC, without the old aliases such as `GMT+0` and `US/Pacific`."""
    places = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(places)))
