"""Somebody at a browser, as cheap as can be: one kept connection, cookies, whole pages; no parsing, so that a crowd of them
leaves the machine to the server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

LIMIT_BYTES = 1 << 20


class Failed(Exception):
    """There was no whole answer."""


@dataclass(frozen=True)
class Page:
    """What came."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Person:
    """Who opens pages of `host:port`, one after the other."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, *, looks: str = "") -> Page:
        """A page, or as the waiting room's script looks in. Raises Failed."""
        goes = f"accept: */*\r\nsec-fetch-dest: empty\r\nwaiting-room: {looks}\r\n" if looks else HTML
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"GET {path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\ncookie: {cookies}\r\n{goes}\r\n"
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection(self.host, self.port, limit=LIMIT_BYTES)
            self._writer.write(head.encode())
            return await self._read()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            self.close()
            raise Failed(str(error)) from error

    async def _read(self) -> Page:
        assert self._reader is not None
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                key, _, kept = value.strip().partition(";")[0].partition("=")
                self.cookies[key] = kept
            else:
                headers[name.lower()] = value.strip()
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "") == "close":
            self.close()
        return Page(int(lines[0].split()[1]), headers, body)

    def close(self) -> None:
        """Leave."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


HTML = "accept: text/html\r\nsec-fetch-dest: document\r\n"
