"""What the tests of leases share: the back ends, and processes that hold a lease."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seawall.dist import MemoryStore, Store

PATIENCE_S = 120.0
HOLDER = Path(__file__).with_name("lease_holder.py")


def _holder_module():
    spec = importlib.util.spec_from_file_location("seawall_tests_lease_holder", HOLDER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_MODULE = _holder_module()
write = _MODULE.write


def key(name: str) -> str:
    """What is written under the lease of that name."""
    return f"{name}-file"


def read(kind: str, url: str, key: str) -> str:
    """What `write` has written."""
    if kind == "valkey":
        import valkey

        with valkey.Valkey.from_url(url, decode_responses=True) as client:
            return str(client.get(key))
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT value FROM written WHERE key = %s", (key,)).fetchone()
        assert row is not None
        return str(row[0])


@dataclass(frozen=True)
class Backend:
    """One kind of store and the server behind it. What does not hold for a kind is said here."""

    kind: str
    url: str = ""

    @property
    def is_fifo(self) -> bool:
        return self.kind != "advisory"

    @property
    def runs_out(self) -> bool:
        """Whether the server ends a lease whose holder is silent but connected."""
        return self.kind != "advisory"

    @property
    def is_shared(self) -> bool:
        return self.kind != "memory"

    def open(self, timeout_s: float = 2.0, url: str = "") -> Store:
        if self.kind == "memory":
            return MemoryStore(timeout_s=timeout_s)
        return _MODULE.open_store(self.kind, url or self.url, timeout_s)

    def start(self, name: str, ttl_s: float, *command: object, timeout_s: float = 1.0) -> subprocess.Popen[str]:
        """A process that does `command` with the lease; see lease_holder.py."""
        arguments = [self.kind, self.url, name, ttl_s, timeout_s, *command]
        return subprocess.Popen(
            [sys.executable, str(HOLDER), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


class Holder:
    """A process that holds a lease. `with` ends it."""

    def __init__(self, backend: Backend, name: str, ttl_s: float, timeout_s: float = 1.0) -> None:
        self._process = backend.start(name, ttl_s, "hold", timeout_s=timeout_s)
        self.token = int(self._line())

    def tell(self, command: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._line()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGCONT)
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the holder has ended"
        return line


def eventually(is_so: Callable[[], object]) -> None:
    """Return when it is; fail when it never comes to be."""
    until_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.02)
