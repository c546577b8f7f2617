"""Exports for programs: asked for, looked at, saved and ended, with a key of scope `stats`."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qsl

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.response import File

from turnout.errors import BadInput, NotFound, NotSignedIn
from turnout.jobs.exports import Exports, Standing
from turnout.model.site import Principal, Site
from turnout.sites.service import Sites
from turnout.web.exports import days_question, export_file
from turnout.web.mount import PARAMETERS_LIMIT
from turnout.web.page.state import read_view, write_view
from turnout.web.scope import BY_KEY
from turnout.web.workloads import EXPORTS


class ExportAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for: of `report` the view, as a dashboard's address has it; of `events` the days, or all of them."""

    site_id: str
    kind: Literal["report", "events"] = "report"
    view: str = ""
    first: str = ""
    last: str = ""


class ExportAnswer(msgspec.Struct, frozen=True):
    """How it stands. `place` in line counts from 1; `done` of `total` pieces are built; `file` is where it is to be had."""

    id: str
    site_id: str
    kind: str
    state: Literal["waiting", "building", "done", "failed", "cancelled"]
    place: int | None
    done: int
    total: int
    size_bytes: int
    file: str | None
    why: str


PrincipalDependency = NamedDependency[SkipValidation[Principal]]
SitesDependency = NamedDependency[SkipValidation[Sites]]
ExportsDependency = NamedDependency[SkipValidation[Exports]]


@post(EXPORTS, status_code=202, opt=BY_KEY)
async def ask_for_export(
    data: JSONBody[ExportAsked], principal: PrincipalDependency, sites: SitesDependency, exports: ExportsDependency
) -> Response[ExportAnswer]:
    """Have a file made of what a dashboard shows, or of every event. It is built in the background; look at `Location`."""
    _check(principal)
    site = await sites.get(principal, data.site_id)
    if data.kind == "events":
        question = days_question(data.first, data.last)
    else:
        question = write_view(read_view(_pairs(data.view))).lstrip("?")
    export = await exports.ask(site, data.kind, question, f"person {principal.user_id}")
    answer = _answer(exports.find(export.token, site.id))
    return Response(answer, status_code=202, headers={"location": f"{EXPORTS}/{export.token}"})


@get(f"{EXPORTS}/{{token:str}}", opt=BY_KEY)
async def look_at_export(
    token: FromPath[str], principal: PrincipalDependency, sites: SitesDependency, exports: ExportsDependency
) -> ExportAnswer:
    """How an export stands."""
    site = await _site(token, principal, sites, exports)
    return _answer(exports.find(token, site.id))


@get(f"{EXPORTS}/{{token:str}}/file", opt=BY_KEY)
async def save_export_by_key(
    token: FromPath[str], principal: PrincipalDependency, sites: SitesDependency, exports: ExportsDependency
) -> File:
    """The archive, once it is done; 404 before and a day after."""
    return export_file(await _site(token, principal, sites, exports), token, exports)


@delete(f"{EXPORTS}/{{token:str}}", opt=BY_KEY)
async def end_export(
    token: FromPath[str], principal: PrincipalDependency, sites: SitesDependency, exports: ExportsDependency
) -> None:
    """End an export that you asked for, or delete its file."""
    site = await _site(token, principal, sites, exports)
    if exports.find(token, site.id).export.asked_by != f"person {principal.user_id}":
        raise NotFound("there is no such export of yours")
    await exports.cancel(token, site.id)


API_EXPORTS = (ask_for_export, look_at_export, save_export_by_key, end_export)


async def _site(token: str, principal: Principal, sites: Sites, exports: Exports) -> Site:
    _check(principal)
    return await sites.get(principal, exports.domain_of(token))


def _check(principal: Principal) -> None:
    if "stats" not in principal.scopes:
        raise NotSignedIn("a valid API key of scope stats is needed, sent as `Authorization: Bearer KEY`")


def _pairs(view: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(view.lstrip("?"), keep_blank_values=True, max_num_fields=PARAMETERS_LIMIT)
    except ValueError:
        raise BadInput("view", f"expected at most {PARAMETERS_LIMIT} parameters") from None


def _answer(standing: Standing) -> ExportAnswer:
    export = standing.export
    return ExportAnswer(
        id=export.token,
        site_id=export.domain,
        kind=export.kind,
        state=export.state,
        place=standing.place,
        done=standing.done,
        total=standing.total,
        size_bytes=export.size_bytes,
        file=f"{EXPORTS}/{export.token}/file" if export.state == "done" else None,
        why=export.why,
    )
