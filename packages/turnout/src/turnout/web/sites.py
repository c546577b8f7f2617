"""All sites of a person on one page, each with its last thirty days, by one request; and adding one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput, NotFound
from turnout.model.query import Days
from turnout.model.site import OrganisationId, Principal, Site, SiteId
from turnout.sites.service import Sites
from turnout.web.asking import PATIENCE_S
from turnout.web.forms import PageRequest, fields
from turnout.web.mount import Desk
from turnout.web.page.answers import Missing
from turnout.web.page.sparkline import HEIGHT, WIDTH, Sparkline, draw_sparkline
from turnout.web.pages import page
from turnout.web.patience import Old, Part, in_time
from turnout.web.scope import EVERYBODY, PERSON
from turnout.web.timezones import timezones

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
SitesDependency = NamedDependency[SkipValidation[Sites]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]
DeskDependency = NamedDependency[SkipValidation[Desk]]

DAYS = 30


@get("/", opt=EVERYBODY)
async def show_start() -> Redirect:
    """The way in."""
    return Redirect("/sites", status_code=303)


@get("/sites", opt=PERSON)
async def list_sites(
    request: PageRequest,
    principal: PrincipalDependency,
    sites: SitesDependency,
    organisations: OrganisationsDependency,
    desk: DeskDependency,
) -> Template:
    """The sites of the person, and the form that adds one."""
    return await _sites_page(request, principal, sites, organisations, desk)


@post("/sites", status_code=303, opt=PERSON)
async def add_site(
    request: PageRequest,
    principal: PrincipalDependency,
    sites: SitesDependency,
    organisations: OrganisationsDependency,
    desk: DeskDependency,
) -> Template | Redirect:
    """Makes the site and shows it; what can't be used comes back in the form."""
    form = await fields(request)
    domain, timezone, number = form["domain"], form["timezone"], form["organisation"]
    try:
        if number:
            organisation_id = OrganisationId(int(number) if number.isdecimal() and len(number) < 12 else 0)
        else:
            organisation_id = (await organisations.personal(principal)).id
        site = await sites.create(principal, organisation_id, domain, timezone)
    except NotFound as error:
        bad = BadInput("organisation", str(error))
        return await _sites_page(
            request, principal, sites, organisations, desk, error=bad, domain=domain, timezone=timezone
        )
    except BadInput as bad:
        return await _sites_page(
            request, principal, sites, organisations, desk, error=bad, domain=domain, timezone=timezone
        )
    return Redirect(f"/sites/{site.domain}", status_code=303)


async def _sites_page(
    request: PageRequest,
    principal: Principal,
    sites: Sites,
    organisations: Organisations,
    desk: Desk,
    *,
    error: BadInput | None = None,
    domain: str = "",
    timezone: str = "",
) -> Template:
    mine = await organisations.of(principal)
    shown = await sites.list(principal)
    lines = await _sparklines(desk, shown)
    groups = [(each.name, False, [site for site in shown if site.organisation_id == each.id]) for each in mine]
    own = {each.id for each in mine}
    groups.append(("As a guest", True, [site for site in shown if site.organisation_id not in own]))
    return page(
        request,
        "sites.html",
        principal,
        sites=shown,
        groups=[(name, is_guest, members) for name, is_guest, members in groups if members],
        lines=lines,
        box=(WIDTH, HEIGHT),
        may_add=[(each.id, each.name) for each in mine if "add_site" in each.rights],
        error=error,
        domain=domain,
        timezone=timezone,
        timezones=timezones(),
        status_code=400 if error else 200,
    )


async def _sparklines(desk: Desk, sites: Sequence[Site]) -> dict[SiteId, Sparkline]:
    """The visitors of each site's last thirty days, by one question for all; none where that takes too long."""
    spans = []
    for site in sites:
        today = desk.now(site).date()
        spans.append((site, Days(today - timedelta(days=DAYS - 1), today)))
    part = Part(("sparklines", tuple(spans)), lambda: desk.runner.visitors_by_day(spans))
    found = (await in_time({"sparklines": part}, patience_s=PATIENCE_S))["sparklines"]
    assert not isinstance(found, Old)
    return {} if isinstance(found, Missing) else {number: draw_sparkline(values) for number, values in found.items()}
