"""`POST /api/event`, in front of everything: bare ASGI, since trackers send by the thousand.

202 `ok` is sent only after the event is durable. CORS is open: the pages that send are other sites'.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from ipaddress import ip_address
from typing import Any

import msgspec

from seawall import Closed, DeadlineExceeded, Gate, Overloaded, deadline
from turnout.errors import BadInput, JournalFull, StoreUnavailable, TooLarge
from turnout.ingest.decode import MAX_BODY_BYTES, decode_plausible
from turnout.ingest.pipeline import Pipeline
from turnout.model.event import Sender

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

PUT_TIMEOUT_S = 10.0
"""How long an event may wait for the journal before its sender is told to come again; trackers wait some 10 s."""

MAX_HEADER = 2_048
"""What is kept of a header; longer ones are cut."""


class Collect:
    """The ASGI callable for events in Plausible's format: POST and OPTIONS, everything else is 405.

    `gate` says how many requests may be on their way to the journal at once. Those beyond wait in line with their
    body read, and their connection is not read on: the server reads a connection's next request only when this one is
    answered. So senders are slowed first, and told to come again only where the line is longer than they would wait.
    """

    def __init__(self, pipeline: Pipeline, gate: Gate, *, put_timeout_s: float = PUT_TIMEOUT_S) -> None:
        self._pipeline = pipeline
        self._gate = gate
        self._put_timeout_s = put_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Returns without an answer when the client leaves before its body is whole."""
        method = scope["method"]
        if method == "OPTIONS":
            await _answer(send, 204, b"", _PREFLIGHT)
            return
        if method != "POST":
            await _answer(send, 405, b"", [(b"allow", b"POST, OPTIONS")])
            return
        headers: Iterable[Header] = scope["headers"]
        try:
            body = await _body(headers, receive)
            if body is None:
                return
            sender, wants_debug = _sender(scope, headers)
            if wants_debug:
                await _answer(send, 200, sender.address.encode(), _TEXT)
                return
            with deadline(self._put_timeout_s):
                # Not before the body: a thousand slow senders would take all seats, and nobody's event would come in.
                async with self._gate.admit("ingest"):
                    accepted = await self._pipeline.accept(decode_plausible(body), sender)
        except BadInput as error:
            status = 413 if isinstance(error, TooLarge) else 400
            await _json(send, status, {"errors": {error.field: [error.problem]}})
        except JournalFull as error:
            await _json(send, 503, {"error": "journal_full"}, error.retry_after_s)
        except StoreUnavailable as error:
            await _json(send, 503, {"error": "journal_unavailable"}, error.retry_after_s)
        except Overloaded as error:
            await _json(send, 503, {"error": "overloaded"}, error.retry_after_s or 1.0)
        except (DeadlineExceeded, Closed):
            await _json(send, 503, {"error": "overloaded"}, 1.0)
        else:
            dropped = sum(accepted.dropped.values())
            extra = [*_TEXT, (b"x-plausible-dropped", b"%d" % dropped)] if dropped else _TEXT
            await _answer(send, 202, b"ok", extra)


async def _body(headers: Iterable[Header], receive: Receive) -> bytes | None:
    """The whole body, None when the client left. Raises `TooLarge` as soon as it is known to be over the limit."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
            raise _too_large()
    chunks: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size_bytes += len(chunk)
        if size_bytes > MAX_BODY_BYTES:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large() -> TooLarge:
    return TooLarge("body", f"must have at most {MAX_BODY_BYTES} bytes")


def _sender(scope: Scope, headers: Iterable[Header]) -> tuple[Sender, bool]:
    """Who sends, and whether only their address is asked for (`X-Debug-Request: true`)."""
    user_agent = language = ""
    forwarded: list[bytes] = []
    wants_debug = False
    for name, value in headers:
        if name == b"user-agent":
            user_agent = value[:MAX_HEADER].decode("latin-1").strip()
        elif name == b"accept-language":
            language = value[:MAX_HEADER].decode("latin-1")
        elif name == b"x-forwarded-for":
            forwarded.append(value[:MAX_HEADER])
        elif name == b"x-debug-request":
            wants_debug = value.lower() == b"true"
    peer = scope.get("client")
    address = _first_address(b",".join(forwarded)) if forwarded else None
    return Sender(address=address or (peer[0] if peer else ""), user_agent=user_agent, language=language), wants_debug


def _first_address(forwarded: bytes) -> str | None:
    """The first entry that parses, in its normal form; ports and brackets are understood."""
    for entry in forwarded.decode("latin-1").split(","):
        text = entry.strip()
        if text.startswith("["):
            text = text[1:].partition("]")[0]
        elif text.count(":") == 1:
            text = text.partition(":")[0]
        try:
            return str(ip_address(text))
        except ValueError:
            continue
    return None


async def _json(send: Send, status: int, content: object, retry_after_s: float | None = None) -> None:
    extra = [(b"content-type", b"application/json")]
    if retry_after_s is not None:
        extra.append((b"retry-after", b"%d" % max(1, round(retry_after_s))))
    await _answer(send, status, msgspec.json.encode(content), extra)


async def _answer(send: Send, status: int, body: bytes, extra: Iterable[Header] = ()) -> None:
    headers = [(b"content-length", b"%d" % len(body)), *_CORS, *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_TEXT: list[Header] = [(b"content-type", b"text/plain; charset=utf-8")]
_CORS: list[Header] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-plausible-dropped"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"cache-control", b"no-store"),
]
_PREFLIGHT: list[Header] = [
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"content-type, user-agent, x-forwarded-for, x-debug-request"),
    (b"access-control-max-age", b"86400"),
]
