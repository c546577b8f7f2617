"""Another service that this one calls: over TCP, and with only so many that it serves at once."""

from __future__ import annotations

import asyncio


class Downstream:
    """Answers a line with a line after `hold_s`, at most `places` at once; the others wait in its own queue."""

    def __init__(self, places: int, hold_s: float) -> None:
        self._places, self._hold_s = asyncio.Semaphore(places), hold_s
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()

    async def call(self) -> None:
        """Call it on a connection of one's own."""
        async with self._starting:
            if self._server is None:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1_000)
        host, port = self._server.sockets[0].getsockname()[:2]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"what does it cost\n")
        await reader.readline()
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        async with self._places:
            await asyncio.sleep(self._hold_s)
        writer.write(b"much\n")
        writer.close()
