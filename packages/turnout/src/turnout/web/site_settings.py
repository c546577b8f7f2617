"""A site's settings: time zone, who sees it, shared links, guests, and the end of it."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.errors import BadInput
from turnout.model.site import UserId
from turnout.web.forms import fields
from turnout.web.scope import on_site
from turnout.web.site_settings_page import SettingsPage

Here = NamedDependency[SkipValidation[SettingsPage]]

PATH = "/sites/{domain:str}/settings"


@get(PATH, opt=on_site("edit_site"))
async def show_settings(settings_page: Here) -> Template:
    """All of it that the person's rights show."""
    return await settings_page.draw()


@post(f"{PATH}/timezone", status_code=303, opt=on_site("edit_site"))
async def set_timezone(settings_page: Here) -> Template | Redirect:
    """Changes the time zone for events from now on."""
    here = settings_page
    try:
        await here.sites.set_timezone(here.principal, here.domain, (await fields(here.request))["timezone"])
    except BadInput as bad:
        return await here.draw(error=bad, form="timezone")
    return here.back("timezone")


@post(f"{PATH}/public", status_code=303, opt=on_site("share_site"))
async def set_public(settings_page: Here) -> Redirect:
    """Shows the numbers to everybody (`public` is `yes`), or ends that."""
    here = settings_page
    is_public = (await fields(here.request))["public"] == "yes"
    await here.sites.set_public(here.principal, here.domain, is_public)
    return here.back("public" if is_public else "private")


@post(f"{PATH}/links", status_code=303, opt=on_site("share_site"))
async def add_link(settings_page: Here) -> Template | Redirect:
    """Makes a shared link, with a password where one is typed."""
    here = settings_page
    form = await fields(here.request)
    try:
        await here.sharing.add_link(here.principal, here.domain, form["name"], form["password"])
    except BadInput as bad:
        return await here.draw(error=bad, form="links")
    return here.back("link")


@post(f"{PATH}/links/{{number:int}}/delete", status_code=303, opt=on_site("share_site"))
async def delete_link(number: FromPath[int], settings_page: Here) -> Redirect:
    """Ends a shared link, at once."""
    here = settings_page
    await here.sharing.delete_link(here.principal, here.domain, number)
    return here.back("link_deleted")


@post(f"{PATH}/guests", status_code=303, opt=on_site("manage_members"))
async def invite_guest(settings_page: Here) -> Template | Redirect:
    """Invites somebody to this site only; the link is shown where this server sends no mail."""
    here = settings_page
    form = await fields(here.request)
    email, role = form["email"], form["role"]
    try:
        link = await here.organisations.invite_guest(here.principal, here.domain, email, role, here.address)
    except BadInput as bad:
        return await here.draw(error=bad, form="guests", email=email)
    return here.back("invited") if link is None else await here.draw(link=link, email=email)


@post(f"{PATH}/guests/{{user:int}}/remove", status_code=303, opt=on_site("see_site"))
async def remove_guest(user: FromPath[int], settings_page: Here) -> Redirect:
    """Ends a guest's access, or one's own, at once."""
    here = settings_page
    await here.sharing.remove_guest(here.principal, here.domain, UserId(user))
    if user == here.principal.user_id:
        return Redirect("/sites?done=guest_left", status_code=303)
    return here.back("guest_removed")


@post(f"{PATH}/delete", status_code=303, opt=on_site("delete_site"))
async def delete_site(settings_page: Here) -> Template | Redirect:
    """Deletes the site with all its events, where its domain was typed."""
    here = settings_page
    if (await fields(here.request))["confirm"].strip().lower() != here.domain:
        bad = BadInput("confirm", f"type the domain, {here.domain}, to delete it")
        return await here.draw(error=bad, form="delete")
    await here.sites.delete(here.principal, here.domain)
    return Redirect("/sites?done=site_deleted", status_code=303)
