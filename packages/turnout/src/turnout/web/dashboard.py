"""The pages of a signed-in person: the list of sites, and a site's numbers. One request draws a whole page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol
from urllib.parse import quote
from zoneinfo import available_timezones

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from seawall.clock import Clock
from turnout.errors import BadInput
from turnout.model.site import Principal, Site
from turnout.query.run import QueryRunner
from turnout.settings import Settings
from turnout.web.mount import HEADERS, Desk, Mount, PageRequest
from turnout.web.site_details import site_details
from turnout.web.site_export import site_export
from turnout.web.site_page import site_card, site_page

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
RunnerDependency = NamedDependency[SkipValidation[QueryRunner]]
ClockDependency = NamedDependency[SkipValidation[Clock]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]


class SiteShelf(Protocol):
    """The sites that someone may see: `Sites` in `sites/service.py`."""

    async def list(self, principal: Principal) -> Sequence[Site]:
        """All of them, by domain."""
        ...

    async def get(self, principal: Principal, domain: str) -> Site:
        """One of them. Raises `NotFound` where there is none, or `principal` may not know of it."""
        ...


SitesDependency = NamedDependency[SkipValidation[SiteShelf]]


@get("/sites")
async def list_sites(principal: PrincipalDependency, sites: SitesDependency) -> Template:
    """The sites of the person, and the form that adds one (posted to /sites)."""
    return sites_page(principal, await sites.list(principal))


@get("/sites/{domain:str}")
async def show_site(
    request: PageRequest,
    domain: FromPath[str],
    principal: PrincipalDependency,
    sites: SitesDependency,
    runner: RunnerDependency,
    clock: ClockDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """A site's numbers, as the address asks for them. Raises `NotFound` where the site is not the person's."""
    mount = await _mount(principal, sites, domain)
    return await site_page(request, mount, Desk(runner, clock, settings))


@get("/sites/{domain:str}/cards/{card:str}")
async def show_card(
    request: PageRequest,
    domain: FromPath[str],
    card: FromPath[str],
    principal: PrincipalDependency,
    sites: SitesDependency,
    runner: RunnerDependency,
    clock: ClockDependency,
    settings: SettingsDependency,
) -> Template:
    """One section of the page alone, for a script that comes back for what was late."""
    mount = await _mount(principal, sites, domain)
    return await site_card(request, mount, Desk(runner, clock, settings), card)


@get("/sites/{domain:str}/details/{card:str}")
async def show_details(
    request: PageRequest,
    domain: FromPath[str],
    card: FromPath[str],
    principal: PrincipalDependency,
    sites: SitesDependency,
    runner: RunnerDependency,
    clock: ClockDependency,
    settings: SettingsDependency,
) -> Template | Redirect | Response[bytes]:
    """All rows of a card; as CSV for `CARD.csv`."""
    mount = await _mount(principal, sites, domain)
    return await site_details(request, mount, Desk(runner, clock, settings), card)


@get("/sites/{domain:str}/export.zip")
async def export_site(
    request: PageRequest,
    domain: FromPath[str],
    principal: PrincipalDependency,
    sites: SitesDependency,
    runner: RunnerDependency,
    clock: ClockDependency,
    settings: SettingsDependency,
) -> Template | Response[bytes]:
    """Everything that the page shows, as CSV."""
    mount = await _mount(principal, sites, domain)
    return await site_export(request, mount, Desk(runner, clock, settings))


async def _mount(principal: Principal, sites: SiteShelf, domain: str) -> Mount:
    site = await sites.get(principal, domain)
    return Mount(
        site=site,
        page_path=f"/sites/{quote(site.domain, safe='')}",
        principal=principal,
        sites=await sites.list(principal),
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
        headers=HEADERS,
        status_code=status_code,
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
