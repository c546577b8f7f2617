"""A site's numbers, for its people and, where it is public, for everybody. One request draws a whole page."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Stream, Template

from turnout.model.access import SiteAccess
from turnout.model.site import Principal
from turnout.sites.service import Sites
from turnout.web.live import live_response
from turnout.web.live_hub import LiveHub
from turnout.web.mount import HEADERS, Desk, PageRequest, read_parameters, site_mount
from turnout.web.peer import peer_of
from turnout.web.scope import is_still_admitted, on_site
from turnout.web.site_details import site_details
from turnout.web.site_page import site_card, site_page
from turnout.web.suggest import Suggestion, suggestions

AccessDependency = NamedDependency[SkipValidation[SiteAccess]]
ViewerDependency = NamedDependency[SkipValidation[Principal | None]]
SitesDependency = NamedDependency[SkipValidation[Sites]]
LiveDependency = NamedDependency[SkipValidation[LiveHub]]
DeskDependency = NamedDependency[SkipValidation[Desk]]

HERE = "/sites/{domain:str}"
SEEN = on_site("see_site", or_public=True)


@get(HERE, opt=SEEN)
async def show_site(
    request: PageRequest,
    access: AccessDependency,
    viewer: ViewerDependency,
    sites: SitesDependency,
    desk: DeskDependency,
) -> Template | Redirect:
    """A site's numbers, as the address asks for them."""
    return await site_page(request, await site_mount(access, viewer, sites), desk)


@get(f"{HERE}/cards/{{card:str}}", opt=SEEN)
async def show_card(
    request: PageRequest,
    card: FromPath[str],
    access: AccessDependency,
    viewer: ViewerDependency,
    sites: SitesDependency,
    desk: DeskDependency,
) -> Template:
    """One section of the page alone, for a script that comes back for what was late."""
    return await site_card(request, await site_mount(access, viewer, sites), desk, card)


@get(f"{HERE}/details/{{card:str}}", opt=SEEN)
async def show_details(
    request: PageRequest,
    card: FromPath[str],
    access: AccessDependency,
    viewer: ViewerDependency,
    sites: SitesDependency,
    desk: DeskDependency,
) -> Template | Redirect | Response[bytes]:
    """All rows of a card; as CSV for `CARD.csv`."""
    return await site_details(request, await site_mount(access, viewer, sites), desk, card)


@get(f"{HERE}/live", opt=SEEN, include_in_schema=False)
async def watch_site(
    request: PageRequest, access: AccessDependency, viewer: ViewerDependency, live: LiveDependency, desk: DeskDependency
) -> Stream:
    """The number of visitors now, told when it changes."""
    person = viewer.user_id if viewer else peer_of(request, desk.settings)
    return live_response(access.site, live, desk.clock, person=person, may_watch=lambda: is_still_admitted(request))


@get(f"{HERE}/suggest", opt=SEEN, include_in_schema=False)
async def suggest_for_site(
    request: PageRequest, access: AccessDependency, desk: DeskDependency
) -> Response[list[Suggestion]]:
    """The values of `dimension` that contain `q`, most frequent first. The rest of the address is the page's."""
    return Response(await suggestions(access.site, desk, read_parameters(request)), headers=HEADERS)
