"""The stats API in Plausible's shape: `POST /api/v2/query`, for whoever holds a key of scope `stats`."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Protocol

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import SkipValidation

from seawall import Overloaded
from seawall.clock import Clock
from turnout.errors import BadInput, NotAllowed, NotFound, NotSignedIn, StoreUnavailable, TooLarge, TurnoutError
from turnout.model.site import Principal, Site
from turnout.query.answer import Answer, make_answer
from turnout.query.parse import MAX_BODY_BYTES, parse_body, resolve
from turnout.query.run import QueryRunner
from turnout.web.api_schema import QueryOperation
from turnout.web.scope import BY_KEY

_BAD_KEY = "a valid API key of scope stats is needed, sent as `Authorization: Bearer KEY`"
_NO_SITE = "site_id: no site of this name that this key may read"


class SiteFinder(Protocol):
    """Finds a site for someone: `Sites` in `sites/service.py`."""

    async def get(self, principal: Principal, domain: str) -> Site:
        """The site. Raises `NotFound` where there is none, or `principal` may not know of it."""
        ...


def _refused(request: Request[object, object, State], error: Exception) -> Response[dict[str, str]]:
    """Every failure as `{"error": text}`, which is what clients of this API read."""
    status, text, retry_after_s = _answer_to(error)
    headers = {} if retry_after_s is None else {"retry-after": str(math.ceil(retry_after_s))}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response({"error": text}, status_code=status, headers=headers)


@post(
    "/api/v2/query",
    status_code=200,
    opt=BY_KEY,
    request_max_body_size=MAX_BODY_BYTES,
    operation_class=QueryOperation,
    exception_handlers={TurnoutError: _refused, Overloaded: _refused, HTTPException: _refused},
)
async def query_stats(
    request: Request[object, object, State],
    principal: NamedDependency[SkipValidation[Principal]],
    sites: NamedDependency[SkipValidation[SiteFinder]],
    runner: NamedDependency[SkipValidation[QueryRunner]],
    clock: NamedDependency[SkipValidation[Clock]],
) -> Answer:
    """Answer one query. An unknown site and someone else's are the same 404."""
    if "stats" not in principal.scopes:
        raise NotSignedIn(_BAD_KEY)
    body = await request.body()
    # Patterns are checked by compiling them, which may take long; nothing else in a body does.
    ask = await runner.aside(parse_body, body) if b"matches" in body else parse_body(body)
    site = await sites.get(principal, ask.site_id)
    first_day = await runner.first_day(site) if ask.needs_first_day else None
    query = resolve(ask, site, datetime.fromtimestamp(clock.time(), UTC), first_day)
    return make_answer(ask, site, query, await runner.answer(site, query))


def _answer_to(error: Exception) -> tuple[int, str, float | None]:
    """Status, text, and when to come back."""
    match error:
        case TooLarge():
            return 413, str(error), None
        case BadInput():
            return 400, str(error), None
        case NotSignedIn():
            return 401, _BAD_KEY, None
        case NotFound() | NotAllowed():
            return 404, _NO_SITE, None
        case StoreUnavailable() | Overloaded():
            return 503, str(error), error.retry_after_s
        case HTTPException():
            text = f"a query may have {MAX_BODY_BYTES} bytes at most" if error.status_code == 413 else error.detail
            return error.status_code, text, None
        case _:
            raise error
