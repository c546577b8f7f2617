"""An organisation's page: members, invitations, API keys, audit log, its name and its end."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput
from turnout.model.access import ROLES, Organisation, may_manage
from turnout.model.site import Principal, UserId
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.web.auth import own_address
from turnout.web.forms import PageRequest, fields
from turnout.web.pages import page
from turnout.web.scope import PERSON, on_organisation

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
OrganisationDependency = NamedDependency[SkipValidation[Organisation]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]
SitesDependency = NamedDependency[SkipValidation[Sites]]

HERE = "/organisations/{organisation_id:int}"


@get("/organisations/new", opt=PERSON)
async def show_new_organisation(request: PageRequest, principal: PrincipalDependency) -> Template:
    """The form for a new one."""
    return page(request, "organisation_new.html", principal, name="")


@post("/organisations", status_code=303, opt=PERSON)
async def create_organisation(
    request: PageRequest, principal: PrincipalDependency, organisations: OrganisationsDependency
) -> Template | Redirect:
    """Makes an organisation that the person owns."""
    name = (await fields(request))["name"]
    try:
        made = await organisations.create(principal, name)
    except BadInput as bad:
        return page(request, "organisation_new.html", principal, name=name, error=bad, status_code=400)
    return Redirect(f"/organisations/{made.id}?done=created", status_code=303)


@get(HERE, opt=on_organisation("see_organisation"))
async def show_organisation(
    request: PageRequest,
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template:
    """All of it that the person's role shows."""
    return await _organisation_page(request, principal, organisation, organisations, sites)


@get(f"{HERE}/audit", opt=on_organisation("see_audit"))
async def show_audit(
    request: PageRequest,
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
) -> Template:
    """Who did what, for admins and owners."""
    entries = await organisations.audit(principal, organisation.id)
    return page(request, "audit.html", principal, organisation=organisation, entries=entries)


@post(f"{HERE}/name", status_code=303, opt=on_organisation("manage_organisation"))
async def rename_organisation(
    request: PageRequest,
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template | Redirect:
    """Gives it another name."""
    try:
        await organisations.rename(principal, organisation.id, (await fields(request))["name"])
    except BadInput as bad:
        return await _organisation_page(request, principal, organisation, organisations, sites, error=bad, form="name")
    return _back(organisation, "renamed")


@post(f"{HERE}/delete", status_code=303, opt=on_organisation("manage_organisation"))
async def delete_organisation(
    request: PageRequest,
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template | Redirect:
    """Deletes it with its sites, where its name was typed."""
    if (await fields(request))["confirm"].strip() != organisation.name:
        bad = BadInput("confirm", f"type the name, {organisation.name}, to delete it")
        return await _organisation_page(
            request, principal, organisation, organisations, sites, error=bad, form="delete"
        )
    sites.forget(await organisations.delete(principal, organisation.id))
    return Redirect("/sites?done=organisation_deleted", status_code=303)


@post(f"{HERE}/members/{{user:int}}/role", status_code=303, opt=on_organisation("manage_members"))
async def set_role(
    request: PageRequest,
    user: FromPath[int],
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template | Redirect:
    """Changes a member's role."""
    try:
        await organisations.set_role(principal, organisation.id, UserId(user), (await fields(request))["role"])
    except BadInput as bad:
        return await _organisation_page(
            request, principal, organisation, organisations, sites, error=bad, form="members"
        )
    return _back(organisation, "role")


@post(f"{HERE}/members/{{user:int}}/remove", status_code=303, opt=on_organisation("see_organisation"))
async def remove_member(
    request: PageRequest,
    user: FromPath[int],
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template | Redirect:
    """Takes a member out, or oneself."""
    try:
        await organisations.remove_member(principal, organisation.id, UserId(user))
    except BadInput as bad:
        return await _organisation_page(
            request, principal, organisation, organisations, sites, error=bad, form="members"
        )
    if user == principal.user_id:
        return Redirect("/sites?done=left", status_code=303)
    return _back(organisation, "removed")


@post(f"{HERE}/invitations", status_code=303, opt=on_organisation("manage_members"))
async def invite(
    request: PageRequest,
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """Invites somebody; the link is shown where this server sends no mail."""
    form = await fields(request)
    try:
        link = await organisations.invite(
            principal, organisation.id, form["email"], form["role"], own_address(request, settings)
        )
    except BadInput as bad:
        return await _organisation_page(
            request,
            principal,
            organisation,
            organisations,
            sites,
            error=bad,
            form="invite",
            email=form["email"],
        )
    if link is None:
        return _back(organisation, "invited")
    return await _organisation_page(
        request, principal, organisation, organisations, sites, link=link, email=form["email"]
    )


@post(f"{HERE}/invitations/{{number:int}}/withdraw", status_code=303, opt=on_organisation("manage_members"))
async def withdraw(
    number: FromPath[int],
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
) -> Redirect:
    """Ends an invitation."""
    await organisations.withdraw(principal, organisation.id, number)
    return _back(organisation, "withdrawn")


@post(f"{HERE}/keys", status_code=200, opt=on_organisation("manage_keys"))
async def create_key(
    request: PageRequest,
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template:
    """Makes a key and shows it, once."""
    form = await fields(request)
    try:
        key = await organisations.create_key(principal, organisation.id, form["scope"] or "stats", form["name"])
    except BadInput as bad:
        return await _organisation_page(request, principal, organisation, organisations, sites, error=bad, form="keys")
    return await _organisation_page(request, principal, organisation, organisations, sites, key=key)


@post(f"{HERE}/keys/{{number:int}}/delete", status_code=303, opt=on_organisation("manage_keys"))
async def delete_key(
    number: FromPath[int],
    principal: PrincipalDependency,
    organisation: OrganisationDependency,
    organisations: OrganisationsDependency,
) -> Redirect:
    """Ends a key, at once."""
    await organisations.delete_key(principal, organisation.id, number)
    return _back(organisation, "key_deleted")


async def _organisation_page(
    request: PageRequest,
    principal: Principal,
    organisation: Organisation,
    organisations: Organisations,
    sites: Sites,
    *,
    error: BadInput | None = None,
    form: str = "",
    link: str = "",
    key: str = "",
    email: str = "",
) -> Template:
    number = organisation.id
    known = [access.site for access in await sites.list_access(principal) if access.site.organisation_id == number]
    return page(
        request,
        "organisation.html",
        principal,
        organisation=organisation,
        rights=organisation.rights,
        members=await organisations.members(principal, number),
        invitations=await organisations.invitations(principal, number),
        keys=await organisations.keys(principal, number),
        org_sites=known,
        roles=[role for role in ROLES if may_manage(organisation.role, role)],
        may_manage=may_manage,
        link=link,
        key=key,
        email=email,
        error=error,
        form=form,
        status_code=400 if error else 200,
    )


def _back(organisation: Organisation, done: str) -> Redirect:
    return Redirect(f"/organisations/{organisation.id}?done={done}", status_code=303)
