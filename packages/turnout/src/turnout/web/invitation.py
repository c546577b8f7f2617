"""Accepting an invitation: with the account one has, or with a new one."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import AlreadyExists, BadInput
from turnout.model.site import Principal
from turnout.settings import Settings
from turnout.web.auth import start_session
from turnout.web.forms import PageRequest, fields
from turnout.web.pages import page
from turnout.web.peer import client_of
from turnout.web.scope import EVERYBODY

ViewerDependency = NamedDependency[SkipValidation[Principal | None]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]


@get("/invitations/{token:str}", opt=EVERYBODY)
async def show_invitation(
    request: PageRequest, token: FromPath[str], viewer: ViewerDependency, organisations: OrganisationsDependency
) -> Template:
    """Who invites whom to what. Raises `NotFound` for a link that is used or too old."""
    return await _invitation_page(request, token, viewer, organisations)


@post("/invitations/{token:str}", status_code=303, opt=EVERYBODY)
async def accept_invitation(
    request: PageRequest,
    token: FromPath[str],
    viewer: ViewerDependency,
    organisations: OrganisationsDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """Accepts, and goes on to the sites."""
    if viewer is not None:
        await organisations.accept(viewer, token)
        return Redirect("/sites?done=joined", status_code=303)
    password = (await fields(request))["password"]
    try:
        session = await organisations.accept_as_new(token, password, client=client_of(request))
    except AlreadyExists:
        return Redirect("/login", query_params={"next": request.url.path}, status_code=303)
    except BadInput as bad:
        return await _invitation_page(request, token, viewer, organisations, error=bad)
    return Redirect("/sites?done=joined", status_code=303, cookies=[start_session(settings, session)])


async def _invitation_page(
    request: PageRequest,
    token: str,
    viewer: Principal | None,
    organisations: Organisations,
    *,
    error: BadInput | None = None,
) -> Template:
    invited = await organisations.invited(token)
    return page(
        request,
        "invitation.html",
        viewer,
        invited=invited,
        error=error,
        here=request.url.path,
        status_code=400 if error else 200,
    )
