"""A site's settings: time zone, who sees it, shared links, guests, and the end of it."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput
from turnout.model.access import GUEST_ROLES, SiteAccess
from turnout.model.site import Principal, UserId
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.sites.sharing import Sharing
from turnout.web.auth import own_address
from turnout.web.forms import PageRequest, fields
from turnout.web.pages import page
from turnout.web.scope import on_site
from turnout.web.timezones import timezones

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
AccessDependency = NamedDependency[SkipValidation[SiteAccess]]
SitesDependency = NamedDependency[SkipValidation[Sites]]
SharingDependency = NamedDependency[SkipValidation[Sharing]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]

HERE = "/sites/{domain:str}/settings"


@get(HERE, opt=on_site("edit_site"))
async def show_settings(
    request: PageRequest,
    principal: PrincipalDependency,
    access: AccessDependency,
    sharing: SharingDependency,
    settings: SettingsDependency,
) -> Template:
    """All of it that the person's role shows."""
    return await _settings_page(request, principal, access, sharing, settings)


@post(f"{HERE}/timezone", status_code=303, opt=on_site("edit_site"))
async def set_timezone(
    request: PageRequest,
    principal: PrincipalDependency,
    access: AccessDependency,
    sites: SitesDependency,
    sharing: SharingDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """Changes the time zone for events from now on."""
    try:
        await sites.set_timezone(principal, access.site.domain, (await fields(request))["timezone"])
    except BadInput as bad:
        return await _settings_page(request, principal, access, sharing, settings, error=bad, form="timezone")
    return _back(access, "timezone")


@post(f"{HERE}/public", status_code=303, opt=on_site("share_site"))
async def set_public(
    request: PageRequest, principal: PrincipalDependency, access: AccessDependency, sites: SitesDependency
) -> Redirect:
    """Shows the numbers to everybody (`public` is `yes`), or ends that."""
    is_public = (await fields(request))["public"] == "yes"
    await sites.set_public(principal, access.site.domain, is_public)
    return _back(access, "public" if is_public else "private")


@post(f"{HERE}/links", status_code=303, opt=on_site("share_site"))
async def add_link(
    request: PageRequest,
    principal: PrincipalDependency,
    access: AccessDependency,
    sharing: SharingDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """Makes a shared link, with a password where one is typed."""
    form = await fields(request)
    try:
        await sharing.add_link(principal, access.site.domain, form["name"], form["password"])
    except BadInput as bad:
        return await _settings_page(request, principal, access, sharing, settings, error=bad, form="links")
    return _back(access, "link")


@post(f"{HERE}/links/{{number:int}}/delete", status_code=303, opt=on_site("share_site"))
async def delete_link(
    number: FromPath[int], principal: PrincipalDependency, access: AccessDependency, sharing: SharingDependency
) -> Redirect:
    """Ends a shared link, at once."""
    await sharing.delete_link(principal, access.site.domain, number)
    return _back(access, "link_deleted")


@post(f"{HERE}/guests", status_code=303, opt=on_site("manage_members"))
async def invite_guest(
    request: PageRequest,
    principal: PrincipalDependency,
    access: AccessDependency,
    sharing: SharingDependency,
    organisations: OrganisationsDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """Invites somebody to this site only; the link is shown where this server sends no mail."""
    form = await fields(request)
    try:
        link = await organisations.invite_guest(
            principal, access.site.domain, form["email"], form["role"], own_address(request, settings)
        )
    except BadInput as bad:
        return await _settings_page(request, principal, access, sharing, settings, error=bad, form="guests")
    if link is None:
        return _back(access, "invited")
    return await _settings_page(request, principal, access, sharing, settings, link=link, email=form["email"])


@post(f"{HERE}/guests/{{user:int}}/remove", status_code=303, opt=on_site("see_site"))
async def remove_guest(
    user: FromPath[int], principal: PrincipalDependency, access: AccessDependency, sharing: SharingDependency
) -> Redirect:
    """Ends a guest's access, or one's own, at once."""
    await sharing.remove_guest(principal, access.site.domain, UserId(user))
    if user == principal.user_id:
        return Redirect("/sites?done=guest_left", status_code=303)
    return _back(access, "guest_removed")


@post(f"{HERE}/delete", status_code=303, opt=on_site("delete_site"))
async def delete_site(
    request: PageRequest,
    principal: PrincipalDependency,
    access: AccessDependency,
    sites: SitesDependency,
    sharing: SharingDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """Deletes the site with all its events, where its domain was typed."""
    domain = access.site.domain
    if (await fields(request))["confirm"].strip().lower() != domain:
        bad = BadInput("confirm", f"type the domain, {domain}, to delete it")
        return await _settings_page(request, principal, access, sharing, settings, error=bad, form="delete")
    await sites.delete(principal, domain)
    return Redirect("/sites?done=site_deleted", status_code=303)


async def _settings_page(
    request: PageRequest,
    principal: Principal,
    access: SiteAccess,
    sharing: Sharing,
    settings: Settings,
    *,
    error: BadInput | None = None,
    form: str = "",
    link: str = "",
    email: str = "",
) -> Template:
    domain, rights = access.site.domain, access.rights
    return page(
        request,
        "site_settings.html",
        principal,
        site=access.site,
        rights=rights,
        links=await sharing.links(principal, domain) if "share_site" in rights else (),
        guests=await sharing.guests(principal, domain) if "manage_members" in rights else (),
        guest_roles=GUEST_ROLES,
        timezones=timezones(),
        address=own_address(request, settings),
        link=link,
        email=email,
        error=error,
        form=form,
        status_code=400 if error else 200,
    )


def _back(access: SiteAccess, done: str) -> Redirect:
    return Redirect(f"/sites/{access.site.domain}/settings?done={done}", status_code=303)
