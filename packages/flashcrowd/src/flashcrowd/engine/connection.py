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
        "_answer", "_body", "_body_bytes", "_call_later", "_headers_done", "_is_head", "_left", "_parser", "_response",
        "_timer", "_transport", "is_open", "used",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, left: Callable[[Connection], None]) -> None:
        self._call_later = loop.call_later
        self._left = left
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[bool] | None = None
        self._response: Response | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._headers_done = False
        self._is_head = False
        self.is_open = False
        self.used = False
        """Whether it has carried an answer already."""

    async def exchange(self, request: bytes, response: Response, timeout_s: float, *, is_head: bool) -> bool:
        """Sends `request` and fills `response`; returns whether the connection can be used again.

        Raises `TimeoutError` after `timeout_s`, `Broken` when the connection ends before the answer is whole; it is closed
        then, and when the caller is cancelled.
        """
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not self.is_open:
            raise Broken("the connection was closed", untouched=True)
        self._answer, self._response, self._is_head = answer, response, is_head
        self._body, self._body_bytes, self._headers_done = [], 0, False
        self._timer = self._call_later(timeout_s, self._timed_out)
        self._transport.write(request)
        try:
            keeps = await answer
        except BaseException:
            self.close()
            raise
        finally:
            self._timer.cancel()
            self._answer = None
        self.used = True
        return keeps

    def close(self) -> None:
        """Drops it, whatever it is doing."""
        if self.is_open:
            self.is_open = False
            self._transport.abort()

    def _timed_out(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(TimeoutError())

    def _break(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            untouched = self._response is None or self._response.first_byte_s is None
            self._answer.set_exception(Broken(reason, untouched=untouched))

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
        response.ended_s = monotonic()
        response.status = self._parser.get_status_code()
        response._raw_body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        answer.set_result(keeps)
