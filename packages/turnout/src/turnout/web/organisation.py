"""An organisation: members, invitations, API keys, audit log, its name and its end."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput
from turnout.model.site import Principal, UserId
from turnout.web.forms import PageRequest, fields
from turnout.web.organisation_page import OrganisationPage
from turnout.web.pages import page
from turnout.web.scope import PERSON, on_organisation

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]
Here = NamedDependency[SkipValidation[OrganisationPage]]

PATH = "/organisations/{organisation_id:int}"


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


@get(PATH, opt=on_organisation("see_organisation"))
async def show_organisation(organisation_page: Here) -> Template:
    """All of it that the person's role shows."""
    return await organisation_page.draw()


@get(f"{PATH}/audit", opt=on_organisation("see_audit"))
async def show_audit(organisation_page: Here) -> Template:
    """Who did what."""
    here = organisation_page
    entries = await here.organisations.audit(here.principal, here.id)
    return page(here.request, "audit.html", here.principal, organisation=here.organisation, entries=entries)


@post(f"{PATH}/name", status_code=303, opt=on_organisation("manage_organisation"))
async def rename_organisation(organisation_page: Here) -> Template | Redirect:
    """Gives it another name."""
    here = organisation_page
    try:
        await here.organisations.rename(here.principal, here.id, (await fields(here.request))["name"])
    except BadInput as bad:
        return await here.draw(error=bad, form="name")
    return here.back("renamed")


@post(f"{PATH}/delete", status_code=303, opt=on_organisation("manage_organisation"))
async def delete_organisation(organisation_page: Here) -> Template | Redirect:
    """Deletes it with its sites, where its name was typed."""
    here = organisation_page
    if (await fields(here.request))["confirm"].strip() != here.organisation.name:
        bad = BadInput("confirm", f"type the name, {here.organisation.name}, to delete it")
        return await here.draw(error=bad, form="delete")
    here.sites.forget(await here.organisations.delete(here.principal, here.id))
    return Redirect("/sites?done=organisation_deleted", status_code=303)


@post(f"{PATH}/members/{{user:int}}/role", status_code=303, opt=on_organisation("manage_members"))
async def set_role(user: FromPath[int], organisation_page: Here) -> Template | Redirect:
    """Changes a member's role."""
    here = organisation_page
    try:
        await here.organisations.set_role(here.principal, here.id, UserId(user), (await fields(here.request))["role"])
    except BadInput as bad:
        return await here.draw(error=bad, form="members")
    return here.back("role")


@post(f"{PATH}/members/{{user:int}}/remove", status_code=303, opt=on_organisation("see_organisation"))
async def remove_member(user: FromPath[int], organisation_page: Here) -> Template | Redirect:
    """Takes a member out, for whoever manages them; or oneself."""
    here = organisation_page
    try:
        await here.organisations.remove_member(here.principal, here.id, UserId(user))
    except BadInput as bad:
        return await here.draw(error=bad, form="members")
    if user == here.principal.user_id:
        return Redirect("/sites?done=left", status_code=303)
    return here.back("removed")


@post(f"{PATH}/invitations", status_code=303, opt=on_organisation("manage_members"))
async def invite(organisation_page: Here) -> Template | Redirect:
    """Invites somebody; the link is shown where this server sends no mail."""
    here = organisation_page
    form = await fields(here.request)
    email, role = form["email"], form["role"]
    try:
        link = await here.organisations.invite(here.principal, here.id, email, role, here.address)
    except BadInput as bad:
        return await here.draw(error=bad, form="invite", email=email)
    return here.back("invited") if link is None else await here.draw(link=link, email=email)


@post(f"{PATH}/invitations/{{number:int}}/withdraw", status_code=303, opt=on_organisation("manage_members"))
async def withdraw(number: FromPath[int], organisation_page: Here) -> Redirect:
    """Ends an invitation."""
    here = organisation_page
    await here.organisations.withdraw(here.principal, here.id, number)
    return here.back("withdrawn")


@post(f"{PATH}/keys", status_code=200, opt=on_organisation("manage_keys"))
async def create_key(organisation_page: Here) -> Template:
    """Makes a key and shows it, once."""
    here = organisation_page
    form = await fields(here.request)
    try:
        key = await here.organisations.create_key(here.principal, here.id, form["scope"] or "stats", form["name"])
    except BadInput as bad:
        return await here.draw(error=bad, form="keys")
    return await here.draw(key=key)


@post(f"{PATH}/keys/{{number:int}}/delete", status_code=303, opt=on_organisation("manage_keys"))
async def delete_key(number: FromPath[int], organisation_page: Here) -> Redirect:
    """Ends a key, at once."""
    here = organisation_page
    await here.organisations.delete_key(here.principal, here.id, number)
    return here.back("key_deleted")
