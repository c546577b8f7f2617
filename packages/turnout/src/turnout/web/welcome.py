"""The first steps after the first account: the organisation's name, and the first site."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput
from turnout.model.site import Principal
from turnout.sites.service import Sites
from turnout.web.forms import PageRequest, fields
from turnout.web.pages import page
from turnout.web.scope import PERSON
from turnout.web.timezones import timezones

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]
SitesDependency = NamedDependency[SkipValidation[Sites]]


@get("/welcome", opt=PERSON)
async def show_welcome(request: PageRequest, principal: PrincipalDependency) -> Template:
    """Asks what the organisation is called."""
    return page(request, "welcome_organisation.html", principal, name="")


@post("/welcome", status_code=303, opt=PERSON)
async def name_organisation(
    request: PageRequest, principal: PrincipalDependency, organisations: OrganisationsDependency
) -> Template | Redirect:
    """Names the person's own organisation."""
    name = (await fields(request))["name"]
    try:
        own = await organisations.personal(principal)
        await organisations.rename(principal, own.id, name)
    except BadInput as bad:
        return page(request, "welcome_organisation.html", principal, name=name, error=bad, status_code=400)
    return Redirect("/welcome/site", status_code=303)


@get("/welcome/site", opt=PERSON)
async def show_first_site(request: PageRequest, principal: PrincipalDependency) -> Template:
    """Asks for the first site."""
    return _first_site_page(request, principal)


@post("/welcome/site", status_code=303, opt=PERSON)
async def add_first_site(
    request: PageRequest,
    principal: PrincipalDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template | Redirect:
    """Makes it in the person's own organisation; its page shows the line to install, and waits for the first event."""
    form = await fields(request)
    try:
        own = await organisations.personal(principal)
        site = await sites.create(principal, own.id, form["domain"], form["timezone"])
    except BadInput as bad:
        return _first_site_page(request, principal, error=bad, domain=form["domain"], timezone=form["timezone"])
    return Redirect(f"/sites/{site.domain}", status_code=303)


def _first_site_page(
    request: PageRequest,
    principal: Principal,
    *,
    error: BadInput | None = None,
    domain: str = "",
    timezone: str = "",
) -> Template:
    return page(
        request,
        "welcome_site.html",
        principal,
        error=error,
        domain=domain,
        timezone=timezone,
        timezones=timezones(),
        status_code=400 if error else 200,
    )
