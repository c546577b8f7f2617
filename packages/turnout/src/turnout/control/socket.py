"""The control socket `DIR/turnout.sock`: the server's side and the command line's.

One request a connection: a line of JSON {"command", "arguments"}; then lines {"progress": n}, and one {"done": text} or
{"error": text}. Only the owner of the data directory can connect (mode 0600). The socket is reached through the directory's
descriptor, since a socket's own path may have 107 bytes at most and data directories lie deep.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from turnout.control.commands import Commands
from turnout.errors import TurnoutError

SOCKET = "turnout.sock"
LINE_BYTES = 64 * 1024
READ_S = 10.0

_LOG = logging.getLogger("turnout.control")


class ControlError(TurnoutError):
    """Raised when the server carried a command out to an error; the message is the server's."""


class ControlServer:
    """Serves commands while it is open. For the process that holds the directory."""

    def __init__(self, data: Path, commands: Commands) -> None:
        self._data = data
        self._commands = commands
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listens. A socket that a killed server left is taken over: whoever calls this holds the directory."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _reachable(self._data) as path:
            path.unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                listening.bind(str(path))
            finally:
                os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=LINE_BYTES)

    async def close(self) -> None:
        """Takes no more commands and removes the socket."""
        if self._server is not None:
            self._server.close()
            (self._data / SOCKET).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()

        def say(**content: object) -> None:
            if not writer.is_closing():
                writer.write(json.dumps(content).encode() + b"\n")

        def progress(done: int) -> None:
            loop.call_soon_threadsafe(lambda: say(progress=done))

        try:
            async with asyncio.timeout(READ_S):
                asked = json.loads(await reader.readline())
            say(done=await self._commands.run(asked["command"], asked["arguments"], progress))
        except TurnoutError as error:
            say(error=str(error))
        except (ValueError, KeyError, TypeError, TimeoutError) as error:
            say(error=f"the request could not be read: {error}")
        except Exception as error:  # noqa: BLE001 (told to whoever asked, and logged; the server goes on)
            _LOG.exception("a command failed")
            say(error=f"{type(error).__name__}: {error}")
        finally:
            try:
                await writer.drain()
                writer.close()
            except ConnectionError:
                pass  # the command line has gone; what it asked for is done


def ask_server(
    data: Path, command: str, arguments: Mapping[str, object], progress: Callable[[int], None]
) -> str | None:
    """Has the server on `data` carry out a command and returns what it says; None where no server listens.

    Blocks until it is done. Raises `ControlError` with the server's message.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            with _reachable(data) as path:
                connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        connection.sendall(json.dumps({"command": command, "arguments": dict(arguments)}).encode() + b"\n")
        with connection.makefile() as lines:
            for line in lines:
                said = json.loads(line)
                if "progress" in said:
                    progress(said["progress"])
                elif "error" in said:
                    raise ControlError(said["error"])
                else:
                    return str(said["done"])
    raise ControlError("the server ended before the command was done; look whether it was, and try again")


@contextmanager
def _reachable(data: Path) -> Iterator[Path]:
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        short = Path(f"/proc/self/fd/{folder}")
        yield (short if short.exists() else data) / SOCKET
    finally:
        os.close(folder)
