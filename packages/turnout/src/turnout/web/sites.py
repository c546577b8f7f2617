"""All sites of a person on one page, and adding one."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput, NotFound
from turnout.model.site import OrganisationId, Principal
from turnout.sites.service import Sites
from turnout.web.forms import PageRequest, fields
from turnout.web.pages import page
from turnout.web.scope import EVERYBODY, PERSON
from turnout.web.timezones import timezones

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
SitesDependency = NamedDependency[SkipValidation[Sites]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]


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
) -> Template:
    """The sites of the person, and the form that adds one."""
    return await _sites_page(request, principal, sites, organisations)


@post("/sites", status_code=303, opt=PERSON)
async def add_site(
    request: PageRequest,
    principal: PrincipalDependency,
    sites: SitesDependency,
    organisations: OrganisationsDependency,
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
        return await _sites_page(request, principal, sites, organisations, error=bad, domain=domain, timezone=timezone)
    except BadInput as bad:
        return await _sites_page(request, principal, sites, organisations, error=bad, domain=domain, timezone=timezone)
    return Redirect(f"/sites/{site.domain}", status_code=303)


async def _sites_page(
    request: PageRequest,
    principal: Principal,
    sites: Sites,
    organisations: Organisations,
    *,
    error: BadInput | None = None,
    domain: str = "",
    timezone: str = "",
) -> Template:
    mine = await organisations.of(principal)
    return page(
        request,
        "sites.html",
        principal,
        sites=await sites.list(principal),
        may_add=[(each.id, each.name) for each in mine if "add_site" in each.rights],
        error=error,
        domain=domain,
        timezone=timezone,
        timezones=timezones(),
        status_code=400 if error else 200,
    )
