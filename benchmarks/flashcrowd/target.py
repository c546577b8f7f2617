"""The server: answers any request with `ok` and a cookie, as cheaply as Python can: the generator is measured.

`--hold-s` answers that much later; `--stall-after-s` gives no answer for one second, that long after the first request, and
then all at once. Prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: id=s; Path=/\r\nContent-Length: 2\r\n\r\nok"
STALL_S = 1.0


class Answering(asyncio.Protocol):
    """One connection. A request is as good as its end: an empty line."""

    hold_s = 0.0
    stall_after_s: float | None = None
    stall_from: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Opened."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        """A request."""
        if not data.endswith(b"\r\n\r\n"):
            return
        wait_s = self.hold_s
        if self.stall_after_s is not None:
            loop = asyncio.get_running_loop()
            if Answering.stall_from is None:
                Answering.stall_from = loop.time() + self.stall_after_s
            since = loop.time() - Answering.stall_from
            if 0 <= since < STALL_S:
                wait_s = STALL_S - since
        if wait_s:
            asyncio.get_running_loop().call_later(wait_s, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(ANSWER)


async def serve(hold_s: float, stall_after_s: float | None) -> None:
    """Until it is ended."""
    Answering.hold_s, Answering.stall_after_s = hold_s, stall_after_s
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=8192)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hold-s", type=float, default=0.0)
    parser.add_argument("--stall-after-s", type=float)
    asked = parser.parse_args()
    uvloop.run(serve(asked.hold_s, asked.stall_after_s))
