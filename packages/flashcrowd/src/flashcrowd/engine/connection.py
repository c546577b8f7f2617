"""One HTTP/1.1 connection: a request, its answer, and the next request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from flashcrowd.clock import monotonic
from flashcrowd.users.response import LARGEST_BODY_BYTES, Response


class Broken(Exception):
    """Raised when a connection ends, or makes no sense, before the answer is whole."""

    def __init__(self, reason: str, *, untouched: bool) -> None:
        super().__init__(reason)
        self.untouched = untouched
        """Whether no byte of an answer had come."""


class Connection(asyncio.Protocol):
    """Carries one request at a time. What parses is httptools (llhttp), what sends is the loop's transport."""

    __slots__ = (
        "_answer", "_body", "_body_bytes", "_call_later", "_create_future", "_deadline_s", "_headers_done", "_is_head",
        "_left", "_parser", "_response", "_rings_s", "_timer", "_transport", "is_open", "used",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, left: Callable[[Connection], None]) -> None:
        self._call_later = loop.call_later
        self._create_future: Callable[[], asyncio.Future[bool]] = loop.create_future
        self._left = left
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[bool] | None = None
        self._response: Response | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline_s = self._rings_s = 0.0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._headers_done = False
        self._is_head = False
        self.is_open = False
        self.used = False
        """Whether it has carried an answer already."""

    def exchange(self, request: bytes, response: Response, deadline_s: float, *, is_head: bool) -> asyncio.Future[bool]:
        """Sends `request` and fills `response`; the future tells whether the connection can be used again.

        The future raises `TimeoutError` at `deadline_s` of `monotonic`, and `Broken` when the connection ends before the
        answer is whole; it is closed then. Whoever is cancelled while waiting closes it.
        """
        answer = self._answer = self._create_future()
        self._response, self._is_head, self._deadline_s = response, is_head, deadline_s
        self._body, self._body_bytes, self._headers_done = [], 0, False
        if not self.is_open:
            self._break("the connection was closed")
            return answer
        # A timer for each request would cost as much as parsing its answer: one is left running from request to request,
        # and looks when it fires whether the request of that moment is due.
        if self._timer is None or self._rings_s > deadline_s:
            self._set_timer()
        self._transport.write(request)
        return answer

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_s = self._deadline_s
        self._timer = self._call_later(max(0.0, self._deadline_s - monotonic()), self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._response is None:
            return
        if monotonic() < self._deadline_s:
            self._set_timer()
        else:
            self._fail(TimeoutError())

    def close(self) -> None:
        """Drops it, whatever it is doing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.is_open:
            self.is_open = False
            self._transport.abort()

    def _break(self, reason: str) -> None:
        response = self._response
        if response is not None:
            self._fail(Broken(reason, untouched=response.first_byte_s is None))

    def _fail(self, error: Exception) -> None:
        answer, self._response = self._answer, None
        self.close()
        if answer is not None and not answer.done():
            answer.set_exception(error)

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Some of the answer."""
        response = self._response
        if response is None:
            self.close()  # a server that speaks unasked, as one does that closes for idleness
            return
        if response.first_byte_s is None:
            response.first_byte_s = monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._break("the answer changes to another protocol")
        except httptools.HttpParserError as error:
            self._break(f"not an HTTP answer: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by either side."""
        self.is_open = False
        self._left(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._response is not None and self._ends_with_the_connection() and exc is None:
            self._whole(keeps=False)
        else:
            self._break("the connection was reset" if exc else "the connection was closed before the answer was whole")

    def _ends_with_the_connection(self) -> bool:
        """RFC 9112, 6.3: an answer without a length, and not in chunks, is whole when the server closes."""
        if not self._headers_done or self._response is None:
            return False
        return self._response.header("content-length") is None and self._response.header("transfer-encoding") is None

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._response is not None:
            self._response.raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole. An answer to HEAD has no body, whatever length it names: the parser can't know, so it ends."""
        self._headers_done = True
        if self._is_head and self._parser.get_status_code() >= 200:
            self._whole(keeps=False)

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > LARGEST_BODY_BYTES:
            self._break(f"the answer is larger than {LARGEST_BODY_BYTES} bytes")

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was one that only announces another (100, 103)."""
        if self._parser.get_status_code() < 200:
            self._headers_done = False
            if self._response is not None:
                self._response.raw_headers.clear()
            return
        self._whole(keeps=self._parser.should_keep_alive())

    def _whole(self, *, keeps: bool) -> None:
        response, answer = self._response, self._answer
        if response is None or answer is None or answer.done():
            return
        self._response = None
        self.used = True
        response.ended_s = monotonic()
        response.status = self._parser.get_status_code()
        response._raw_body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        answer.set_result(keeps)
