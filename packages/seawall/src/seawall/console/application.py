"""The console as an ASGI application: who may see it, and which of its few addresses answers what."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from inspect import isawaitable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from seawall.console.figures import figures
from seawall.console.page import draw_page, draw_stacks
from seawall.console.view import as_text, view_of
from seawall.errors import Misuse
from seawall.observe.registry import snapshot
from seawall.observe.settings import configure
from seawall.observe.whereabouts import stacks_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Allow = Callable[[Scope], bool | Awaitable[bool]]
Header = tuple[bytes, bytes]

MAX_BODY_BYTES = 1_024
MAX_NAME_CHARACTERS = 500

_HTML, _TEXT, _JSON = b"text/html; charset=utf-8", b"text/plain; charset=utf-8", b"application/json"
_HEADERS: list[Header] = [
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
        b"base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"accept"),
]
_PROXIED = {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
_HERE = Path(__file__).parent


class Console:
    """An ASGI application that shows what waits for what; mount it anywhere: `app.mount("/seawall", Console(allow=…))`.

    It shows names, figures and stacks of the program, so who may see it must be said: `allow` is asked with the scope
    of each request and answers, or is a coroutine function that answers, whether it may pass; what it raises goes to
    the server, and nothing is shown. Everybody else gets 403. `from_this_machine` is one for a developer's desk.

    One look takes one `snapshot()` and no stack; a stack is taken when somebody clicks a name. The page is bounded
    however much waits, and the same comes as text or JSON by the Accept header; `snapshot` below it has every figure as
    JSON, for tools (Flashcrowd reads it). GET and HEAD change nothing. With
    `can_set_level=True` the level of all locks can be chosen, by POST from the same origin only. Does not block.

    >>> from seawall.console import Console
    >>> console = Console(allow=lambda scope: scope["client"] is not None)
    """

    def __init__(self, *, allow: Allow, can_set_level: bool = False) -> None:
        if not callable(allow):
            raise Misuse("console: allow must be a callable that takes the scope; from_this_machine is one")
        self._allow = allow
        self._can_set_level = can_set_level
        self._static = {
            "style.css": (b"text/css; charset=utf-8", (_HERE / "style.css").read_bytes()),
            "script.js": (b"text/javascript; charset=utf-8", (_HERE / "script.js").read_bytes()),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Where it is mounted at the root, the server's lifespan too."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        answer = _Answer(scope, send)
        allowed = self._allow(scope)
        if isawaitable(allowed):
            allowed = await allowed
        if allowed is not True:
            await answer.text(403, "This console is not for you: its `allow` said no.")
            return
        await self._route(scope, receive, answer)

    async def _route(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        name = _name_of(scope)
        if name == "level" and self._can_set_level:
            await self._set_level(scope, receive, answer)
        elif scope["method"] not in ("GET", "HEAD"):
            await answer.send(405, _TEXT, b"GET or HEAD", [(b"allow", b"GET, HEAD")])
        elif name == "" and not _asked(scope).endswith(b"/"):
            # The links of the page would lead to its neighbours.
            await answer.send(307, _TEXT, b"", [(b"location", b"./%b/" % _asked(scope).rpartition(b"/")[2])])
        elif name == "":
            await self._show(scope, answer)
        elif name == "stacks":
            await _show_stacks(scope, answer)
        elif name == "snapshot":
            await answer.send(200, _JSON, json.dumps(figures()).encode())
        elif name in self._static:
            await answer.send(200, *self._static[name])
        else:
            await answer.text(404, "There is no such page.")

    async def _show(self, scope: Scope, answer: _Answer) -> None:
        view, accept = view_of(snapshot()), _header(scope, b"accept")
        if b"text/html" in accept:
            await answer.send(200, _HTML, draw_page(view, can_set_level=self._can_set_level).encode())
        elif b"json" in accept:
            await answer.send(200, _JSON, json.dumps(asdict(view)).encode())
        else:
            await answer.text(200, as_text(view))

    async def _set_level(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if scope["method"] != "POST":
            await answer.send(405, _TEXT, b"POST", [(b"allow", b"POST")])
        elif not _is_same_origin(scope):
            await answer.text(
                403, "The level is set from this page only; a script sends an Origin header of this host."
            )
        else:
            try:
                configure(level=parse_qs(await _body(receive)).get("level", [""])[0])  # type: ignore[arg-type]
            except (Misuse, ValueError) as wrong:
                await answer.text(400, str(wrong))
                return
            await answer.send(303, _TEXT, b"", [(b"location", b"./")])


def from_this_machine(scope: Scope) -> bool:
    """An `allow` for development: requests from a loopback address, to a loopback name, that no proxy has marked.

    Behind a proxy on the same machine every request comes from there, and not every proxy marks them. So where there is
    a proxy, or other people's programs on the machine, use an `allow` that asks who it is.
    """
    client = scope.get("client")
    if not client or not _is_loopback(client[0]) or any(name.lower() in _PROXIED for name, _ in scope["headers"]):
        return False
    # And the name: a page from elsewhere can have its own name point here (DNS rebinding), but not be called localhost.
    host = urlsplit("//" + _header(scope, b"host").decode("latin-1")).hostname or ""
    return host == "localhost" or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_same_origin(scope: Scope) -> bool:
    site = _header(scope, b"sec-fetch-site")
    if site:
        return site == b"same-origin"
    origin, host = _header(scope, b"origin").decode("latin-1"), _header(scope, b"host").decode("latin-1")
    return bool(host) and urlsplit(origin).netloc == host


def _name_of(scope: Scope) -> str:
    """The address below the mount. Starlette leaves the mount's own in `path`; Litestar does not, and adds a slash."""
    path: str = scope["path"]
    root: str = scope.get("root_path") or ""
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]
    return path.strip("/")


def _asked(scope: Scope) -> bytes:
    """The path as it was asked for."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0]


async def _show_stacks(scope: Scope, answer: _Answer) -> None:
    try:
        asked = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=4).get("who", [""])[0]
    except ValueError:
        await answer.text(400, "who: one name, as the page links it")
        return
    who = asked[:MAX_NAME_CHARACTERS]
    stacks = stacks_of(who)
    if b"text/html" in _header(scope, b"accept"):
        await answer.send(200 if stacks else 404, _HTML, draw_stacks(who, stacks).encode())
    elif b"json" in _header(scope, b"accept"):
        await answer.send(200, _JSON, json.dumps({"who": who, "stacks": stacks}).encode())
    else:
        await answer.text(200, "\n\n".join("\n".join(stack) for stack in stacks) or f"{who}: not found")


async def _body(receive: Receive) -> str:
    body = b""
    while len(body) <= MAX_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if len(body) > MAX_BODY_BYTES:
        raise ValueError("the form is too long")
    return body.decode("utf-8")


async def _live(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


class _Answer:
    """Sends one answer, with the headers that all have; without a body to HEAD."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._is_head = scope["method"] == "HEAD"
        self._send = send

    async def text(self, status: int, text: str) -> None:
        await self.send(status, _TEXT, (text.rstrip("\n") + "\n").encode())

    async def send(self, status: int, content_type: bytes, body: bytes, more: list[Header] | None = None) -> None:
        size = b"%d" % len(body)
        headers = [(b"content-type", content_type), (b"content-length", size), *_HEADERS, *(more or [])]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"" if self._is_head else body})


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key.lower() == name), b"")
