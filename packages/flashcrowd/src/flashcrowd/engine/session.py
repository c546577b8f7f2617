"""One user's visit, as the network sees it: cookies, redirects, patience, refusals, and what counts as right."""

from __future__ import annotations

import asyncio
import json as jsonlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from flashcrowd.clock import monotonic
from flashcrowd.engine.attempt import REDIRECTS, Attempt
from flashcrowd.engine.connection import Broken, Connection
from flashcrowd.engine.connections import Connections
from flashcrowd.engine.cookies import Cookies
from flashcrowd.engine.heads import Heads
from flashcrowd.engine.record import Record
from flashcrowd.engine.target import Origin, Target
from flashcrowd.errors import FlashcrowdError, GeneratorFull, RequestFailed
from flashcrowd.users.refusal import DEFAULT_WAIT_S, LONGEST_WAIT_S
from flashcrowd.users.response import Response
from flashcrowd.users.user import Expected, Form, User

MOST_REDIRECTS = 5
KEEP_METHOD = {307, 308}
REPEATABLE = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
"""Methods that may be sent again where a connection that was kept ended before any answer (RFC 9110, 9.2.2)."""


class Message(NamedTuple):
    """A request without its path: `kind` is the content type of `body`, where a header does not say it."""

    method: str
    headers: Mapping[str, str] | None
    body: bytes | None
    kind: str


class Visit:
    """Carries out what one user wishes (see `flashcrowd.users.user.Session`). For one loop; close it at the end."""

    __slots__ = (
        "_connections", "_cookies", "_heads", "_kept", "_meant_s", "_pending", "_record", "_target", "_user",
    )  # fmt: skip

    def __init__(
        self,
        target: Target,
        connections: Connections,
        heads: Heads,
        record: Record | None,
        user: type[User],
        meant_s: float | None,
    ) -> None:
        self._target = target
        self._connections = connections
        self._heads = heads
        self._record = record  # None: nothing is counted, as in `User.prepare`
        self._user = user
        self._cookies: Cookies | None = None
        # When the next request is meant to be sent, where that was fixed beforehand: by arrival, or by the end of a pause.
        self._meant_s = meant_s
        self._pending: Attempt | None = None
        self._kept: list[tuple[Origin, Connection]] = []

    @property
    def cookies(self) -> Mapping[str, str]:
        """By name."""
        return self._cookies.values() if self._cookies is not None else {}

    async def think(self, seconds: float) -> None:
        """Waits; the pause counts from the end of the answer before it."""
        self.settle()
        began = self._meant_s if self._meant_s is not None else monotonic()
        self._meant_s = began + seconds
        while (left_s := self._meant_s - monotonic()) > 0:  # noqa: ASYNC110 - the loop's timers, in ms, may be early
            await asyncio.sleep(left_s)

    def check(self, condition: object, message: str) -> None:
        """See `User.check`."""
        if not condition:
            self.mark_wrong(message)

    def mark_wrong(self, reason: str) -> bool:
        """Counts the last request as wrong; returns whether there was one that is not settled yet."""
        if self._pending is None:
            return False
        self._pending.outcome, self._pending.reason = "wrong", self._pending.reason or reason
        return True

    def settle(self) -> None:
        """Counts the last request as it now stands. A user's checks come between it and this."""
        ended, self._pending = self._pending, None
        if ended is not None and self._record is not None:
            self._record.add(ended)

    def close(self) -> None:
        """Settles, and closes the connections that were this user's own."""
        self.settle()
        for _, connection in self._kept:
            connection.close()
        self._kept.clear()

    async def request(
        self,
        method: str,
        path: str,
        name: str | None,
        json: object,
        data: Form | None,
        headers: Mapping[str, str] | None,
        expect: Expected,
        timeout_s: float | None,
    ) -> Response:
        """See `User.request`."""
        self.settle()
        meant_s, self._meant_s = self._meant_s, None
        if meant_s is None:
            meant_s = monotonic()
        user = self._user
        timeout_s = user.timeout_s if timeout_s is None else timeout_s
        message = Message(method, headers, *_body(json, data, headers))
        target_path = self._target.path(path)
        if name is None:
            name = f"{method} {path.partition('?')[0]}"
        attempt = 1
        while True:
            ended = Attempt(name, meant_s, monotonic(), attempt)
            response = await self._answer(message, target_path, meant_s + timeout_s, ended)
            if response is not None:
                ended.judge(response, expect)
            if ended.outcome == "good" and response is not None:
                self.settle()  # one that was under way beside this one
                self._pending = ended
                return response
            if self._record is not None:
                self._record.add(ended)
            refusal = user.on_refusal
            wait_s = 0.0
            if refusal.waits:
                wait_s = DEFAULT_WAIT_S if ended.retry_after_s is None else ended.retry_after_s
            if ended.outcome != "refused" or attempt > refusal.times or wait_s > LONGEST_WAIT_S:
                raise RequestFailed(ended.outcome, ended.reason, ended.status)
            attempt += 1
            self._meant_s = ended.ended_s
            await self.think(wait_s)
            meant_s, self._meant_s = self._meant_s, None

    async def _answer(self, message: Message, path: str, deadline_s: float, ended: Attempt) -> Response | None:
        """The answer at the end of all redirects, or None with the reason in `ended`."""
        origin = self._target.origin
        try:
            for _ in range(MOST_REDIRECTS + 1):
                response = await self._exchange(message, origin, path, deadline_s)
                ended.first_byte_s = response.first_byte_s
                if response.status not in REDIRECTS:
                    return response
                location = response.header("location")
                found = self._target.redirect(origin, path, location) if location else None
                if found is None:
                    return response
                origin, path = found
                if response.status not in KEEP_METHOD and message.method != "HEAD":
                    message = Message("GET", message.headers, None, "")
            ended.fail("wrong", f"more than {MOST_REDIRECTS} redirects", response)
        except TimeoutError:
            ended.fail("timed_out", "", None)
        except Broken as error:
            ended.fail("broken", str(error), None)
        except GeneratorFull as error:
            if self._record is not None:
                self._record.full = self._record.full or str(error)
            ended.fail("broken", str(error), None)
        except asyncio.CancelledError:
            if self._record is not None:
                self._record.unfinished += 1
            raise
        return None

    async def _exchange(self, message: Message, origin: Origin, path: str, deadline_s: float) -> Response:
        """One request and its answer, over a connection that is open or a new one."""
        method, headers, body, kind = message
        lines = self._heads.lines(origin, self._user, headers)
        if self._cookies is not None and (cookie := self._cookies.header(path, secure=_is_private(origin))):
            lines = f"{lines}Cookie: {cookie}\r\n"
        if body is None:
            sent = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
        else:
            type_line = f"Content-Type: {kind}\r\n" if kind else ""
            head = f"{method} {path} HTTP/1.1\r\n{lines}{type_line}Content-Length: {len(body)}\r\n\r\n"
            sent = head.encode("latin-1") + body
        while True:
            connection = self._idle(origin) or await self._connections.new(origin, deadline_s)
            response = Response(path)
            try:
                keeps = await connection.exchange(sent, response, deadline_s, is_head=method == "HEAD")
            except asyncio.CancelledError:
                connection.close()
                raise
            except Broken as error:
                if error.untouched and connection.used and method in REPEATABLE:
                    continue  # it was closed for idleness at the moment when we took it
                raise
            if keeps:
                self._give_back(origin, connection)
            else:
                connection.close()
            for header, value in response.raw_headers:
                if len(header) == 10 and header.lower() == b"set-cookie":
                    if self._cookies is None:
                        self._cookies = Cookies()
                    self._cookies.take(value.decode("latin-1"), path)
            return response

    def _idle(self, origin: Origin) -> Connection | None:
        if not self._user.own_connection:
            return self._connections.idle(origin)
        for at, (kept, connection) in enumerate(self._kept):
            if kept == origin:
                del self._kept[at]
                return connection if connection.is_open else None
        return None

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        if self._user.own_connection:
            self._kept.append((origin, connection))
        else:
            self._connections.give_back(origin, connection)


def _body(json: object, data: Form | None, headers: Mapping[str, str] | None) -> tuple[bytes | None, str]:
    """The body's bytes, and its content type where `headers` have none; both empty for a request without."""
    if data is None and json is None:
        return None, ""
    body, kind = _encoded(json, data)
    says = headers is not None and any(header.lower() == "content-type" for header in headers)
    return body, "" if says else kind


def _encoded(json: object, data: Form | None) -> tuple[bytes, str]:
    if json is not None:
        if data is not None:
            raise FlashcrowdError("a request has json or data, not both")
        return jsonlib.dumps(json).encode(), "application/json"
    match data:
        case None:
            return b"", ""
        case bytes():
            return data, ""
        case str():
            return data.encode(), "text/plain; charset=utf-8"
        case _:
            return urlencode(data).encode(), "application/x-www-form-urlencoded"


def _is_private(origin: Origin) -> bool:
    """Whether `Secure` cookies go there: over TLS, and to this machine itself, as browsers have it."""
    return origin.is_secure or origin.host in ("localhost", "127.0.0.1", "::1")
