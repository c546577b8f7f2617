"""A site's numbers behind a shared link: for whoever has the link and, where it has one, its password. Also embedded."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import File, Redirect, Stream, Template

from turnout.errors import BadInput, TooManyAttempts
from turnout.jobs.exports import Exports
from turnout.settings import Settings
from turnout.sites.sharing import OPEN_S, Sharing
from turnout.store.sql.sites import OpenLink
from turnout.web.auth import cookie_name, is_https
from turnout.web.exports import ask_for_report, draw_export, export_file
from turnout.web.forms import fields
from turnout.web.live import live_response
from turnout.web.live_hub import LiveHub
from turnout.web.mount import HEADERS, Desk, Mount, PageRequest, read_parameters
from turnout.web.pages import page
from turnout.web.peer import peer_of
from turnout.web.problems import wait_words
from turnout.web.scope import BY_LINK, is_still_admitted
from turnout.web.site_details import site_details
from turnout.web.site_page import site_card, site_page
from turnout.web.suggest import Suggestion, suggestions

LinkDependency = NamedDependency[SkipValidation[OpenLink]]
SharingDependency = NamedDependency[SkipValidation[Sharing]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]
LiveDependency = NamedDependency[SkipValidation[LiveHub]]
ExportsDependency = NamedDependency[SkipValidation[Exports]]
DeskDependency = NamedDependency[SkipValidation[Desk]]

HERE = "/share/{slug:str}"


@get(HERE, opt=BY_LINK)
async def show_share(
    request: PageRequest, link: LinkDependency, sharing: SharingDependency, desk: DeskDependency
) -> Template | Redirect:
    """The site's numbers, or the question for the password."""
    if not _is_open(request, link, sharing, desk.settings):
        return _password_page(request, link)
    return await site_page(request, _mount(request, link), desk)


@post(f"{HERE}/password", status_code=303, opt=BY_LINK)
async def give_password(
    request: PageRequest, link: LinkDependency, sharing: SharingDependency, settings: SettingsDependency
) -> Template | Redirect:
    """Opens the link in this browser for a day."""
    try:
        kept = await sharing.open(link, (await fields(request))["password"], peer=peer_of(request, settings))
    except BadInput as bad:
        return _password_page(request, link, bad, status_code=400)
    except TooManyAttempts as many:
        wait = BadInput("password", f"too many attempts; wait {wait_words(many.retry_after_s)}, then try again")
        return _password_page(request, link, wait, status_code=429)
    cookie = Cookie(
        key=_cookie(settings, link),
        value=kept,
        max_age=OPEN_S,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(settings),
    )
    return Redirect(f"/share/{link.slug}", status_code=303, cookies=[cookie])


@get(f"{HERE}/cards/{{card:str}}", opt=BY_LINK)
async def show_shared_card(
    request: PageRequest, card: FromPath[str], link: LinkDependency, sharing: SharingDependency, desk: DeskDependency
) -> Template:
    """One section of the page alone."""
    if not _is_open(request, link, sharing, desk.settings):
        return _password_page(request, link)
    return await site_card(request, _mount(request, link), desk, card)


@get(f"{HERE}/details/{{card:str}}", opt=BY_LINK)
async def show_shared_details(
    request: PageRequest, card: FromPath[str], link: LinkDependency, sharing: SharingDependency, desk: DeskDependency
) -> Template | Redirect | Response[bytes]:
    """All rows of a card; as CSV for `CARD.csv`."""
    if not _is_open(request, link, sharing, desk.settings):
        return _password_page(request, link)
    return await site_details(request, _mount(request, link), desk, card)


@get(f"{HERE}/export.zip", opt=BY_LINK)
async def export_share(
    request: PageRequest,
    link: LinkDependency,
    sharing: SharingDependency,
    settings: SettingsDependency,
    exports: ExportsDependency,
) -> Template | Redirect:
    """Asks for everything that the page shows, as CSV; leads to where it is built."""
    if not _is_open(request, link, sharing, settings):
        return _password_page(request, link)
    return await ask_for_report(request, _mount(request, link), exports, f"link {link.id}")


@get(f"{HERE}/exports/{{token:str}}", opt=BY_LINK)
async def show_shared_export(
    request: PageRequest,
    token: FromPath[str],
    link: LinkDependency,
    sharing: SharingDependency,
    settings: SettingsDependency,
    exports: ExportsDependency,
) -> Template:
    """How an export stands."""
    if not _is_open(request, link, sharing, settings):
        return _password_page(request, link)
    return draw_export(_mount(request, link), exports.find(token, link.site.id))


@get(f"{HERE}/exports/{{token:str}}/file", opt=BY_LINK)
async def save_shared_export(
    request: PageRequest,
    token: FromPath[str],
    link: LinkDependency,
    sharing: SharingDependency,
    settings: SettingsDependency,
    exports: ExportsDependency,
) -> Template | File:
    """The file of an export that is done."""
    if not _is_open(request, link, sharing, settings):
        return _password_page(request, link)
    return export_file(link.site, token, exports)


@get(f"{HERE}/live", opt=BY_LINK, include_in_schema=False)
async def watch_share(
    request: PageRequest, link: LinkDependency, sharing: SharingDependency, live: LiveDependency, desk: DeskDependency
) -> Template | Stream:
    """The number of visitors now, told when it changes, until the link is deleted."""
    if not _is_open(request, link, sharing, desk.settings):
        return _password_page(request, link)
    person = peer_of(request, desk.settings)
    return live_response(link.site, live, desk.clock, person=person, may_watch=lambda: is_still_admitted(request))


@get(f"{HERE}/suggest", opt=BY_LINK, include_in_schema=False)
async def suggest_for_share(
    request: PageRequest, link: LinkDependency, sharing: SharingDependency, desk: DeskDependency
) -> Template | Response[list[Suggestion]]:
    """The values of `dimension` that contain `q`, most frequent first. The rest of the address is the page's."""
    if not _is_open(request, link, sharing, desk.settings):
        return _password_page(request, link)
    return Response(await suggestions(link.site, desk, read_parameters(request)), headers=HEADERS)


def _is_open(request: PageRequest, link: OpenLink, sharing: Sharing, settings: Settings) -> bool:
    return sharing.is_open(link, request.cookies.get(_cookie(settings, link), ""))


def _cookie(settings: Settings, link: OpenLink) -> str:
    return cookie_name(settings, f"share_{link.id}")


def _mount(request: PageRequest, link: OpenLink) -> Mount:
    is_embed = request.query_params.get("embed") == "true" and link.password_hash is None
    return Mount(site=link.site, page_path=f"/share/{link.slug}", is_embed=is_embed)


def _password_page(
    request: PageRequest, link: OpenLink, error: BadInput | None = None, status_code: int = 401
) -> Template:
    """Says nothing of the site, not even which one it is."""
    return page(
        request,
        "share_password.html",
        None,
        action=f"/share/{link.slug}/password",
        error=error,
        status_code=status_code,
    )
