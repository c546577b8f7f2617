"""Where a site's page is shown and to whom: the same page serves its owner, a shared link, an embed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.response import Template

from seawall.clock import Clock
from turnout.errors import BadInput
from turnout.model.access import SiteAccess
from turnout.model.site import Principal, Site
from turnout.query.run import QueryRunner
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.web.fragments import Fragments, switcher

PARAMETERS_LIMIT = 100
# A page of numbers is its reader's alone, and old as soon as it is drawn.
HEADERS = {"cache-control": "private, no-store"}

PageRequest = Request[object, object, State]


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """One site at one path. `page_path` has no slash at its end, and everything below it belongs to the page.

    What makes a mount what it is must be in its path: the page's links replace the whole query string.

    `sites`: those that the switcher offers; with none there is no switcher. `principal`: who is signed in, if anybody.
    `settings_path`: where the site's settings are, for whoever may change them.
    `is_embed`: shown within another page, without Turnout's own bar.
    """

    site: Site
    page_path: str
    principal: Principal | None = None
    sites: Sequence[Site] = ()
    settings_path: str = ""
    is_embed: bool = False


async def site_mount(access: SiteAccess, viewer: Principal | None, sites: Sites) -> Mount:
    """A site's page for its people, and where it is public for everybody."""
    path = f"/sites/{quote(access.site.domain, safe='')}"
    return Mount(
        site=access.site,
        page_path=path,
        principal=viewer,
        sites=await sites.list(viewer) if viewer else (),
        settings_path=f"{path}/settings" if "edit_site" in access.rights else "",
    )


class Desk(msgspec.Struct, frozen=True):
    """What answers the page's questions."""

    runner: QueryRunner
    clock: Clock
    settings: Settings
    fragments: Fragments = msgspec.field(default_factory=Fragments)

    def now(self, site: Site) -> datetime:
        """The site's wall clock, aware."""
        return datetime.fromtimestamp(self.clock.time(), UTC).astimezone(ZoneInfo(site.timezone))

    @property
    def has_cities(self) -> bool:
        """Whether regions and cities are known."""
        return self.settings.city_database is not None


def read_parameters(request: PageRequest) -> list[tuple[str, str]]:
    """The parameters of the address, in order. Raises `BadInput` where there are too many."""
    try:
        return parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=PARAMETERS_LIMIT)
    except ValueError:
        raise BadInput("", f"expected at most {PARAMETERS_LIMIT} parameters in the address") from None


def draw_template(name: str, mount: Mount, context: dict[str, object], status_code: int = 200) -> Template:
    """A template of a site, with what all of them use."""
    shared = {
        "principal": mount.principal,
        "site": mount.site,
        "switcher": switcher(mount.site, tuple(mount.sites), mount.settings_path) if mount.sites else None,
        "page_path": mount.page_path,
        "embed": mount.is_embed,
    }
    return Template(name, context={**shared, **context}, headers=HEADERS, status_code=status_code)


def unreadable(request: PageRequest, mount: Mount, bad: BadInput) -> Template:
    """A page that names the parameter, and links to the page without it."""
    rest = [] if not bad.field else [pair for pair in read_parameters(request) if pair[0] != bad.field]
    context: dict[str, object] = {
        "status": 400,
        "title": "This address can’t be read",
        "detail": str(bad),
        "back": f"{request.url.path}?{urlencode(rest)}",
    }
    return draw_template("error.html", mount, context, status_code=400)
