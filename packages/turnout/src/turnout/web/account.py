"""One's own account: password, sessions, second factor, organisations, what one did, and the end of it."""

from __future__ import annotations

import segno
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.accounts.second_factor import SecondFactors
from turnout.accounts.service import Accounts
from turnout.accounts.sessions import Sessions
from turnout.errors import BadInput
from turnout.model.site import Principal
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.web.auth import session_cookie
from turnout.web.forms import PageRequest, fields
from turnout.web.pages import PRIVATE, page
from turnout.web.scope import PERSON

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
AccountsDependency = NamedDependency[SkipValidation[Accounts]]
SessionsDependency = NamedDependency[SkipValidation[Sessions]]
FactorsDependency = NamedDependency[SkipValidation[SecondFactors]]
OrganisationsDependency = NamedDependency[SkipValidation[Organisations]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]
SitesDependency = NamedDependency[SkipValidation[Sites]]


@get("/account", opt=PERSON)
async def show_account(
    request: PageRequest,
    principal: PrincipalDependency,
    accounts: AccountsDependency,
    sessions: SessionsDependency,
    second_factors: FactorsDependency,
    organisations: OrganisationsDependency,
    settings: SettingsDependency,
) -> Template:
    """All of it on one page."""
    return page(
        request,
        "account.html",
        principal,
        sessions=await sessions.of(principal, request.cookies.get(session_cookie(settings), "")),
        factor=await second_factors.of(principal),
        organisations=await organisations.of(principal),
        audit=await accounts.audit(principal),
    )


@post("/account/password", status_code=303, opt=PERSON)
async def change_password(
    request: PageRequest,
    principal: PrincipalDependency,
    accounts: AccountsDependency,
    settings: SettingsDependency,
) -> Template | Redirect:
    """Sets a new password; other sessions end."""
    form = await fields(request)
    token = request.cookies.get(session_cookie(settings), "")
    try:
        await accounts.change_password(principal, token, form["old_password"], form["new_password"])
    except BadInput as bad:
        return page(request, "account_password.html", principal, error=bad, status_code=400)
    return Redirect("/account?done=password", status_code=303)


@get("/account/password", opt=PERSON)
async def show_password(request: PageRequest, principal: PrincipalDependency) -> Template:
    """The form that changes it."""
    return page(request, "account_password.html", principal)


@post("/account/sessions/{number:int}/end", status_code=303, opt=PERSON)
async def end_session(number: FromPath[int], principal: PrincipalDependency, sessions: SessionsDependency) -> Redirect:
    """Ends one of one's own sessions, at once."""
    await sessions.end(principal, number)
    return Redirect("/account?done=session#sessions", status_code=303)


@post("/account/sessions/end-others", status_code=303, opt=PERSON)
async def end_other_sessions(
    request: PageRequest, principal: PrincipalDependency, sessions: SessionsDependency, settings: SettingsDependency
) -> Redirect:
    """Ends all but this one."""
    await sessions.end_others(principal, request.cookies.get(session_cookie(settings), ""))
    return Redirect("/account?done=sessions#sessions", status_code=303)


@get("/account/second-factor", opt=PERSON)
async def show_second_factor(
    request: PageRequest, principal: PrincipalDependency, second_factors: FactorsDependency
) -> Template:
    """Turning it on: the secret as a picture and as text, and a first code; or off."""
    return await _second_factor_page(request, principal, second_factors)


@post("/account/second-factor", status_code=200, opt=PERSON)
async def confirm_second_factor(
    request: PageRequest,
    principal: PrincipalDependency,
    accounts: AccountsDependency,
    second_factors: FactorsDependency,
) -> Template:
    """Turns it on and shows the recovery codes, once. For the password: a stolen session must not lock its owner out."""
    form = await fields(request)
    try:
        await accounts.check_own_password(principal, form["password"])
        codes = await second_factors.confirm(principal, form["code"])
    except BadInput as bad:
        return await _second_factor_page(request, principal, second_factors, error=bad, status_code=400)
    return page(request, "recovery_codes.html", principal, codes=codes)


@post("/account/second-factor/codes", status_code=200, opt=PERSON)
async def renew_recovery_codes(
    request: PageRequest, principal: PrincipalDependency, second_factors: FactorsDependency
) -> Template:
    """New recovery codes in place of the old ones."""
    try:
        codes = await second_factors.new_recovery_codes(principal, (await fields(request))["code"])
    except BadInput as bad:
        return await _second_factor_page(request, principal, second_factors, error=bad, status_code=400)
    return page(request, "recovery_codes.html", principal, codes=codes)


@post("/account/second-factor/end", status_code=303, opt=PERSON)
async def end_second_factor(
    request: PageRequest, principal: PrincipalDependency, second_factors: FactorsDependency
) -> Template | Redirect:
    """Turns it off, for a code."""
    try:
        await second_factors.end(principal, (await fields(request))["code"])
    except BadInput as bad:
        return await _second_factor_page(request, principal, second_factors, error=bad, status_code=400)
    return Redirect("/account?done=factor_off", status_code=303)


@get("/account/delete", opt=PERSON)
async def show_delete(
    request: PageRequest, principal: PrincipalDependency, organisations: OrganisationsDependency
) -> Template:
    """Says what goes with the account, and asks for the password."""
    return page(request, "account_delete.html", principal, organisations=await organisations.of(principal))


@post("/account/delete", status_code=303, opt=PERSON)
async def delete_account(
    request: PageRequest,
    principal: PrincipalDependency,
    accounts: AccountsDependency,
    organisations: OrganisationsDependency,
    sites: SitesDependency,
) -> Template | Redirect:
    """Ends the account."""
    try:
        sites.forget(await accounts.delete(principal, (await fields(request))["password"]))
    except BadInput as bad:
        mine = await organisations.of(principal)
        return page(request, "account_delete.html", principal, organisations=mine, error=bad, status_code=400)
    return Redirect("/login?done=deleted", status_code=303)


async def _second_factor_page(
    request: PageRequest,
    principal: Principal,
    second_factors: SecondFactors,
    *,
    error: BadInput | None = None,
    status_code: int = 200,
) -> Template:
    factor = await second_factors.of(principal)
    secret, address = ("", "") if factor.is_confirmed else await second_factors.offer(principal)
    picture = segno.make(address, error="m").svg_inline(omitsize=True, border=2, svgclass="qr") if address else ""
    return page(
        request,
        "second_factor.html",
        principal,
        factor=factor,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=picture,
        error=error,
        status_code=status_code,
        headers=PRIVATE,
    )
