"""The outermost ASGI callable. What comes by the thousand, and what must answer under any load, is answered in front of
the web framework; everything else goes to it through the gates, and leaves with the security headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from seawall import deadline, request_timing
from seawall.asgi import Scope, Ticket, WaitingRoom, admission
from seawall.clock import SYSTEM_CLOCK
from turnout.settings import Settings
from turnout.web.auth import is_https
from turnout.web.gates import TIME_S, Gates
from turnout.web.ops import Operations
from turnout.web.room import is_look, is_person
from turnout.web.sign_in_line import SignInLine
from turnout.web.templating import make_environment
from turnout.web.timing import timed_for_operators
from turnout.web.together import Together, begun
from turnout.web.whole_body import MAX_BODY_BYTES, whole_body
from turnout.web.workloads import work_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Header = tuple[bytes, bytes]

_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors "
)
_ALWAYS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_SECURITY: list[Header] = [
    (b"content-security-policy", _POLICY + b"'none'"),
    (b"x-frame-options", b"DENY"),
    *_ALWAYS,
]
# What is behind a shared link may stand in other pages: there is nobody signed in there, and nothing to click but filters.
_EMBEDDABLE: list[Header] = [(b"content-security-policy", _POLICY + b"*"), *_ALWAYS]
SHARED = "/share/"
_HSTS: Header = (b"strict-transport-security", b"max-age=31536000")
_JSON: Header = (b"content-type", b"application/json")
_PLAIN: Header = (b"content-type", b"text/plain; charset=utf-8")
_CLOSE: Header = (b"connection", b"close")
BODILESS = ("GET", "HEAD", "OPTIONS")
HEALTH = ("/health/live", "/health/ready", "/metrics")
"""What is answered on the lane of `health_port` too."""
MAX_HEADERS_BYTES = 32 * 1024
_NO_STORE: Header = (b"cache-control", b"no-store")


class Edge:
    """Answers the paths named here itself and hands the others on."""

    def __init__(
        self,
        *,
        collect: Application,
        app: Application,
        gates: Gates,
        classify: Callable[[Scope], Ticket],
        room: WaitingRoom,
        operations: Operations,
        script: Path,
        settings: Settings,
        shared_s: Callable[[], float] | None = lambda: 0.0,
    ) -> None:
        """`shared_s` tells how old a page may be that is shown again to who comes while it is drawn anew; None, in the lab
        alone: nobody shares anything."""
        inside, busy = _in_time(app), busy_page()
        with_room = admission(inside, gates, classify, page=busy, room=room)
        self._app = _by_who_asks(with_room, admission(inside, gates, classify, page=busy))
        self._together = self._app if shared_s is None else Together(self._app, shared_s)
        self._line = SignInLine()
        self._operations = operations
        self._script = script.read_bytes()
        self._script_tag = b'"' + blake2b(self._script, digest_size=8).hexdigest().encode() + b'"'
        self._is_https = is_https(settings)
        hsts = [_HSTS] if self._is_https else []
        self._security = [*_SECURITY, *hsts]
        self._embeddable = [*_EMBEDDABLE, *hsts]
        self._paths: dict[str, Application] = {
            "/api/event": collect,
            "/js/script.js": _only_read(self._send_script),
            "/api/health": _only_read(self._live),
            "/health/live": _only_read(self._live),
            "/health/ready": _only_read(self._ready),
            "/metrics": _only_read(self._metrics),
            "/login/line": _only_read(self._place),
        }

    async def health(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handles one request on a lane of its own, where nothing is asked for but how the server is."""
        if scope["type"] != "http":
            return
        if scope["path"] in HEALTH:
            await self._paths[scope["path"]](scope, receive, send)
        else:
            await _answer(send, 404, b"Here are /health/live, /health/ready and /metrics alone.", [_PLAIN, _NO_STORE])

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        found = self._paths.get(path)
        if found is None and path.startswith("/js/script."):
            found = self._paths[
                "/js/script.js"
            ]  # script.hash.js, script.outbound-links.js: names that Plausible's snippets use
        if found is not None:
            await found(scope, receive, send)
            return
        began_s = SYSTEM_CLOCK.monotonic()
        scope.setdefault("state", {})
        if self._is_https:
            scope["scheme"] = "https"  # of the proxy in front: what the room's cookie goes by
        with request_timing() as timing:
            guarded = self._guarded(send, self._embeddable if path.startswith(SHARED) else self._security)
            await self._to_pages(scope, receive, timed_for_operators(guarded, scope, timing, began_s))

    async def _to_pages(self, scope: Message, receive: Receive, guarded: Send) -> None:
        refused = _refused_for(scope["headers"])
        if refused is not None:
            await _answer(guarded, *refused, [_PLAIN])
            return
        # The framework knows GET alone; the server leaves the body of an answer to HEAD out.
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        sent = _asking_again(scope, guarded) if scope["method"] == "GET" else guarded
        if scope["method"] not in BODILESS:
            try:
                whole = await whole_body(receive, MAX_BODY_BYTES)
            except TimeoutError:
                await _answer(guarded, 408, b"What was sent took too long to come in.", [_PLAIN, _CLOSE])
                return
            if whole is None:
                return
            receive = whole
        work = work_of(scope["method"], scope["path"])
        if work == "sign-in":
            with self._line.noting(scope):
                await self._app(scope, receive, sent)
        else:
            shares = work == "dashboard" and not is_look(scope)
            await (self._together if shares else self._app)(scope, receive, sent)

    def _guarded(self, send: Send, security: list[Header]) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                # What says nothing of it is not to be kept: the page of an error may name what only its reader may know.
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append(_NO_STORE)
                # The page of the waiting room has a policy of its own: two at once would forbid what either does.
                own = {name for name, _ in headers}
                message["headers"] = [*headers, *(header for header in security if header[0] not in own)]
            await send(message)

        return guarded

    async def _live(self, scope: Message, receive: Receive, send: Send) -> None:
        await _answer(send, 200, b'{"ok":true}', [_JSON, _NO_STORE])

    async def _ready(self, scope: Message, receive: Receive, send: Send) -> None:
        is_ready, body = self._operations.ready()
        await _answer(send, 200 if is_ready else 503, body, [_JSON, _NO_STORE])

    async def _metrics(self, scope: Message, receive: Receive, send: Send) -> None:
        content_type, body = self._operations.metrics()
        await _answer(send, 200, body, [(b"content-type", content_type.encode()), _NO_STORE])

    async def _place(self, scope: Message, receive: Receive, send: Send) -> None:
        body = msgspec.json.encode(self._line.find(scope["query_string"]))
        await _answer(send, 200, body, [_JSON, _NO_STORE])

    async def _send_script(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"cache-control", b"public, max-age=3600"),
            (b"etag", self._script_tag),
            (b"access-control-allow-origin", b"*"),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if _has_tag(scope["headers"], self._script_tag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await _answer(send, 200, self._script, headers)


def busy_page() -> str:
    """What a browser is shown that a gate refuses: see `seawall.asgi.admission`."""
    return make_environment().get_template("busy.html").render()


def _in_time(app: Application) -> Application:
    """`app` with the deadline of the workload as which it was let in."""

    async def in_time(scope: Message, receive: Receive, send: Send) -> None:
        begun(scope)
        with deadline(TIME_S.get(scope["seawall.admitted"].work.workload.name)):
            await app(scope, receive, send)

    return in_time


def _by_who_asks(person: Application, program: Application) -> Application:
    """Sends people by the waiting room, and everything else past it."""

    async def by_who_asks(scope: Message, receive: Receive, send: Send) -> None:
        await (person if is_person(scope) else program)(scope, receive, send)

    return by_who_asks


def _asking_again(scope: Message, send: Send) -> Send:
    """A `send` by which a page that a gate refused is asked for again by the browser itself, without any script."""

    async def asking_again(message: Message) -> None:
        if message["type"] == "http.response.start" and "seawall.admitted" not in scope:
            told = dict(message["headers"])
            # The page of the waiting room, which has a policy of its own, looks in by itself.
            if b"retry-after" in told and b"content-security-policy" not in told:
                message["headers"] = [*message["headers"], (b"refresh", told[b"retry-after"])]
        await send(message)

    return asking_again


def _refused_for(headers: list[Header]) -> tuple[int, bytes] | None:
    """Status and text where a page can't be asked for with these headers: too many of them, or a host that is none."""
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS_BYTES:
        return 431, b"The headers are too large. Delete this site's cookies and try again."
    for name, value in headers:
        if name == b"host":
            try:
                _ = urlsplit(f"//{value.decode('latin-1')}").port
            except ValueError:
                return 400, b"The host is none."
    return None


def _only_read(application: Application) -> Application:
    """Answers GET and HEAD; everything else is 405. The server leaves the body of an answer to HEAD out."""

    async def only_read(scope: Message, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            await application(scope, receive, send)
        else:
            await _answer(send, 405, b"", [(b"allow", b"GET, HEAD"), _NO_STORE])

    return only_read


def _has_tag(headers: list[Header], tag: bytes) -> bool:
    """Whether If-None-Match names the tag: `*`, or a list compared weakly (RFC 9110, 13.1.2). Ours holds no comma."""
    named = b",".join(value for name, value in headers if name == b"if-none-match")
    return any(each.strip().removeprefix(b"W/") in (tag, b"*") for each in named.split(b","))


async def _answer(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, (b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})
