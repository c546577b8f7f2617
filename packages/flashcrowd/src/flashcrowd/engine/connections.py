"""Connections that are open, and the way to more."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import sys
from ipaddress import IPv4Address

from flashcrowd.clock import monotonic
from flashcrowd.engine.connection import Broken, Connection
from flashcrowd.engine.target import Origin
from flashcrowd.errors import BadInput, GeneratorFull

OURS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
"""Errors of opening a connection that tell of the generator's machine, not of the target."""

FROM_ONE_ADDRESS = 5_000
"""Connections to a loopback address that come from one address. It has some 28,000 ports by default, half of which Linux
tries first; with 15,000 taken a `connect` looks at thousands before it finds one, and all else about a request is cheaper."""
IP_BIND_ADDRESS_NO_PORT = 24
"""Linux, ip(7): the port is chosen when it connects, so that one may serve several targets. Python names it from 3.12 on."""


class Connections:
    """Gives out connections to origins, those that are open first. Never waits for one to come free: where `most` are open,
    it raises, since a user who waited there would count against the target."""

    def __init__(self, most: int, *, verify: bool = True) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._idle: dict[Origin, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._opening = 0
        self._addresses: dict[Origin, str] = {}
        self._verify = verify
        self._tls: ssl.SSLContext | None = None
        self.opened = 0
        """How many were opened in all."""

    @property
    def open(self) -> int:
        """How many are open now."""
        return len(self._open)

    def idle(self, origin: Origin) -> Connection | None:
        """One that is open and free, the last used first, so that those not needed end by the target's own time-out."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    async def new(self, origin: Origin, deadline_s: float) -> Connection:
        """Opens one. Raises `TimeoutError` at `deadline_s` (of `monotonic`), `Broken` where the target does not let it,
        `GeneratorFull` where this machine, or the limit, does not."""
        if len(self._open) + self._opening >= self._most:
            raise GeneratorFull(f"{self._most} connections are open, the most that were allowed (--connections)")
        tls = self._context() if origin.is_secure else None
        self._opening += 1
        try:
            async with asyncio.timeout(max(0.0, deadline_s - monotonic())):
                connection = await self._connect(origin, tls)
        except TimeoutError:
            raise
        except OSError as error:
            if error.errno in OURS:
                raise GeneratorFull(f"this machine can't open more connections: {error}") from None
            raise Broken(_said(error), untouched=True) from None
        finally:
            self._opening -= 1
        self._open.add(connection)
        self.opened += 1
        return connection

    async def _connect(self, origin: Origin, tls: ssl.SSLContext | None) -> Connection:
        address, name = self._addresses.get(origin, origin.host), origin.host if tls else None
        source = _source(address, len(self._open) + self._opening)
        if source is None:
            return (
                await self._loop.create_connection(self._made, address, origin.port, ssl=tls, server_hostname=name)
            )[1]
        link = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            link.setblocking(False)
            link.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            link.bind((source, 0))
            await self._loop.sock_connect(link, (address, origin.port))
            return (await self._loop.create_connection(self._made, sock=link, ssl=tls, server_hostname=name))[1]
        except BaseException:
            link.close()
            raise

    def _made(self) -> Connection:
        return Connection(self._loop, self._open.discard)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            if not self._verify:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return self._tls

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """For whoever comes next."""
        if connection.is_open:
            self._idle.setdefault(origin, []).append(connection)

    async def reach(self, origin: Origin, timeout_s: float) -> None:
        """Finds the address of `origin` once for the whole run, and keeps the connection that showed it to work.

        Raises `BadInput` where nothing answers there.
        """
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._loop.getaddrinfo(origin.host, origin.port, type=1)  # 1: SOCK_STREAM
        except (OSError, TimeoutError) as error:
            raise BadInput("URL", f"no such host as {origin.host}: {_said(error)}") from None
        reason = ""
        for address in dict.fromkeys(str(entry[4][0]) for entry in found):
            self._addresses[origin] = address
            try:
                self.give_back(origin, await self.new(origin, monotonic() + timeout_s))
            except (Broken, TimeoutError) as error:
                reason = _said(error)
            else:
                return
        raise BadInput("URL", f"nothing answers at {origin}: {reason}")

    async def close(self) -> None:
        """Closes all, and lets the loop see it."""
        for connection in list(self._open):
            connection.close()
        self._idle.clear()
        for _ in range(3):
            await asyncio.sleep(0)


def _source(address: str, open_: int) -> str | None:
    """The loopback address from which the next connection to `address` comes; None leaves it to the system."""
    if open_ < FROM_ONE_ADDRESS or sys.platform != "linux" or not address.startswith("127."):
        return None
    return str(IPv4Address("127.0.0.1") + open_ // FROM_ONE_ADDRESS)


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); --insecure takes any"
    return str(error) or type(error).__name__
