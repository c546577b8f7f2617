"""Errors → answers: one table, read by pages (a page that says what to do) and by the API (problem+json, RFC 9457)."""

from __future__ import annotations

import hmac
import logging
import math
from typing import NamedTuple
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import Cookie, State
from litestar.exceptions import HTTPException, PermissionDeniedException, ValidationException
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash, generate_csrf_token
from litestar.response import Redirect, Template

from seawall import DeadlineExceeded, Overloaded
from turnout.errors import BadInput, NotAllowed, NotFound, NotSignedIn, StoreUnavailable, TooLarge, TooManyAttempts

_LOG = logging.getLogger("turnout.web")

AnyRequest = Request[object, object, State]


class Problem(NamedTuple):
    """What goes out: status, a title that is the same for every case of its kind, and what is special about this one."""

    status: int
    title: str
    detail: str
    field: str | None = None
    retry_after_s: float | None = None


def problem_of(error: Exception) -> Problem:
    """The answer to an error. What is nobody's business stays in the log."""
    match error:
        case TooLarge():
            return Problem(413, "Too large", error.problem, error.field or None)
        case BadInput():
            return Problem(400, "That can’t be used", str(error), error.field or None)
        case NotSignedIn():
            return Problem(401, "Not signed in", str(error))
        case NotAllowed():
            return Problem(403, "Not with your role", str(error))
        case TooManyAttempts():
            return Problem(
                429,
                "Too many attempts",
                f"Wait {wait_words(error.retry_after_s)}, then try again.",
                None,
                error.retry_after_s,
            )
        case NotFound():
            return Problem(404, "Not found", str(error))
        case StoreUnavailable() | Overloaded():
            return Problem(503, "Busy just now", str(error), None, error.retry_after_s or 1.0)
        case DeadlineExceeded():
            return Problem(503, "Busy just now", "it took too long; come back in a moment", None, 1.0)
        case PermissionDeniedException():
            return Problem(
                403,
                "The form is out of date",
                "It was opened before its cookie changed. Nothing was done. Go back, reload the page and send it again.",
            )
        case ValidationException(extra=[{"message": str(message), "key": str(field)}, *_]):
            return Problem(400, "That can’t be used", f"{field}: {message}", field)
        case HTTPException(status_code=405):
            return Problem(405, "There is no page here", "Forms are sent to this address. Open the page they stand on.")
        case HTTPException():
            return Problem(
                error.status_code, "Not found" if error.status_code == 404 else "That did not work", error.detail
            )
        case _:
            _LOG.error("a request failed", exc_info=error)
            return Problem(
                500, "That was our mistake", "It is in the server’s log. Try again; nothing you sent is lost twice."
            )


def as_answer(request: AnyRequest, error: Exception) -> Response[object] | Template:
    """The error handler of the whole application."""
    problem = problem_of(error)
    # The framework's own: which methods a path knows.
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(problem.retry_after_s))
    if _is_asked_by_a_program(request):
        return _json(problem, headers)
    if isinstance(error, NotSignedIn) and request.url.path != "/login":
        return Redirect(f"/login{_next(request)}", status_code=303)
    known = request.state.get("person")
    context = {"principal": known, "status": problem.status, "title": problem.title, "detail": problem.detail}
    cookies = _fresh_form_cookie(request) if isinstance(error, PermissionDeniedException) else []
    return Template("error.html", context=context, headers=headers, cookies=cookies, status_code=problem.status)


def _fresh_form_cookie(request: AnyRequest) -> list[Cookie]:
    """A new cookie for forms in place of one that no form can go with any more: `csrf.key` is another since.

    The framework would take the old one for good on every page, and refuse every form.
    """
    config = request.app.csrf_config
    kept = "" if config is None else request.cookies.get(config.cookie_name, "")
    if config is None or not kept or _is_signed(kept, config.secret):
        return []
    return [
        Cookie(
            key=config.cookie_name,
            value=generate_csrf_token(config.secret),
            path=config.cookie_path,
            httponly=config.cookie_httponly,
            secure=config.cookie_secure,
            samesite=config.cookie_samesite,
        )
    ]


def _is_signed(token: str, secret: str) -> bool:
    random, signature = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
    return hmac.compare_digest(signature.encode(), generate_csrf_hash(random, secret).encode())


def _is_asked_by_a_program(request: AnyRequest) -> bool:
    """The API, whoever sends a key, and what a page's script asks for beside pages."""
    headers = request.headers
    wants_json = headers.get("accept", "").startswith("application/json")
    return request.url.path.startswith("/api/") or "authorization" in headers or wants_json


def wait_words(seconds: float) -> str:
    """How long to wait, as people say it."""
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes > 1 else "a minute"


def _json(problem: Problem, headers: dict[str, str]) -> Response[object]:
    content = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "field": problem.field,
        "retry_after_s": problem.retry_after_s,
    }
    return Response(content, status_code=problem.status, headers=headers, media_type="application/problem+json")


def _next(request: AnyRequest) -> str:
    """Where to go after the sign-in: the page asked for, where it can be asked for again."""
    if request.method != "GET" or request.url.path == "/":
        return ""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"?next={quote(request.url.path + query, safe='')}"
