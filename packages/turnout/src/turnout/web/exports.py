"""Exports on a site's pages and behind its links: asked for, watched while they are built, and saved."""

from __future__ import annotations

from datetime import date

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import File, Redirect, Template

from turnout.errors import BadInput, NotAllowed
from turnout.jobs.exports import KEPT_S, Exports, Standing
from turnout.model.access import SiteAccess
from turnout.model.site import Principal, Site
from turnout.sites.service import Sites
from turnout.web.forms import fields
from turnout.web.mount import HEADERS, Desk, Mount, PageRequest, draw_template, read_parameters, site_mount, unreadable
from turnout.web.page.state import read_view, write_view
from turnout.web.scope import on_site

AccessDependency = NamedDependency[SkipValidation[SiteAccess]]
ViewerDependency = NamedDependency[SkipValidation[Principal | None]]
PrincipalDependency = NamedDependency[SkipValidation[Principal]]
SitesDependency = NamedDependency[SkipValidation[Sites]]
DeskDependency = NamedDependency[SkipValidation[Desk]]
ExportsDependency = NamedDependency[SkipValidation[Exports]]

HERE = "/sites/{domain:str}"
SEEN = on_site("see_site", or_public=True)
LOOK_AGAIN_S = 3


@get(f"{HERE}/export.zip", opt=SEEN)
async def export_site(
    request: PageRequest,
    access: AccessDependency,
    viewer: ViewerDependency,
    sites: SitesDependency,
    exports: ExportsDependency,
) -> Template | Redirect:
    """Asks for everything that the page shows, as CSV; leads to where it is built."""
    return await ask_for_report(
        request, await site_mount(access, viewer, sites), exports, f"person {viewer.user_id}" if viewer else "public"
    )


@post(f"{HERE}/exports", status_code=303, opt=on_site("see_site"))
async def export_events(
    request: PageRequest,
    access: AccessDependency,
    principal: PrincipalDependency,
    sites: SitesDependency,
    exports: ExportsDependency,
) -> Template | Redirect:
    """Asks for every event of the site as CSV, or of the days from `first` to `last`."""
    mount = await site_mount(access, principal, sites)
    form = await fields(request)
    try:
        question = days_question(form["first"].strip(), form["last"].strip())
    except BadInput as bad:
        return unreadable(request, mount, bad)
    export = await exports.ask(access.site, "events", question, f"person {principal.user_id}")
    return Redirect(f"{mount.page_path}/exports/{export.token}", status_code=303)


@get(f"{HERE}/exports/{{token:str}}", opt=SEEN)
async def show_export(
    token: FromPath[str],
    access: AccessDependency,
    viewer: ViewerDependency,
    sites: SitesDependency,
    exports: ExportsDependency,
) -> Template:
    """How an export stands."""
    standing = exports.find(token, access.site.id)
    mount = await site_mount(access, viewer, sites)
    return draw_export(mount, standing, may_end=viewer is not None and _may_end(standing, viewer, access))


@get(f"{HERE}/exports/{{token:str}}/file", opt=SEEN)
async def save_export(token: FromPath[str], access: AccessDependency, exports: ExportsDependency) -> File:
    """The file of an export that is done."""
    return export_file(access.site, token, exports)


@post(f"{HERE}/exports/{{token:str}}/cancel", status_code=303, opt=on_site("see_site"))
async def cancel_export(
    token: FromPath[str],
    access: AccessDependency,
    principal: PrincipalDependency,
    sites: SitesDependency,
    exports: ExportsDependency,
) -> Redirect:
    """Ends an export, or deletes its file: for whoever asked for it, and for those who may edit the site."""
    standing = exports.find(token, access.site.id)
    if not _may_end(standing, principal, access):
        raise NotAllowed("somebody else asked for this export")
    await exports.cancel(token, access.site.id)
    mount = await site_mount(access, principal, sites)
    is_deleted = standing.export.is_over
    return Redirect(mount.page_path if is_deleted else f"{mount.page_path}/exports/{token}", status_code=303)


async def ask_for_report(request: PageRequest, mount: Mount, exports: Exports, asked_by: str) -> Template | Redirect:
    """Puts the view of the address in line, and leads to its page. Raises as `Exports.ask` does."""
    try:
        view = read_view(read_parameters(request))
    except BadInput as bad:
        return unreadable(request, mount, bad)
    export = await exports.ask(mount.site, "report", write_view(view).lstrip("?"), asked_by)
    return Redirect(f"{mount.page_path}/exports/{export.token}", status_code=303)


def draw_export(mount: Mount, standing: Standing, *, may_end: bool = False) -> Template:
    """The page of an export: its place, how far it is, or the file."""
    export = standing.export
    context: dict[str, object] = {
        "export": export,
        "standing": standing,
        "until_s": int(export.ended_s + KEPT_S),
        "may_end": may_end,
        "look_again_s": LOOK_AGAIN_S,
        "again": f"{mount.page_path}/export.zip?{export.question}" if export.kind == "report" else "",
    }
    return draw_template("export.html", mount, context)


def export_file(site: Site, token: str, exports: Exports) -> File:
    """The file, to save. Raises `NotFound`."""
    export = exports.find(token, site.id).export
    return File(exports.file(export), filename=export.name, media_type="application/zip", headers=HEADERS)


def days_question(first: str, last: str) -> str:
    """The question of an export of events: of all days where neither is given. Raises `BadInput`."""
    if not first and not last:
        return ""
    days = {}
    for name, text in (("first", first), ("last", last)):
        try:
            days[name] = date.fromisoformat(text)
        except ValueError:
            raise BadInput(name, "expected a day as in 2026-11-24; or leave both empty, for all days") from None
    if days["first"] > days["last"]:
        raise BadInput("last", "expected a day that is not before `first`")
    return f"first={days['first']}&last={days['last']}"


def _may_end(standing: Standing, viewer: Principal, access: SiteAccess) -> bool:
    return standing.export.asked_by == f"person {viewer.user_id}" or "edit_site" in access.rights
