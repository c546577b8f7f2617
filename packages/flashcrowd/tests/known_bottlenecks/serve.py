"""Serves one of the services in a process of its own: `python -m known_bottlenecks.serve NAME SEED WIDENED`."""

from __future__ import annotations

import importlib
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from known_bottlenecks import services
from known_bottlenecks.planted import Build, Planted, draw

NAMES = tuple(module.name for module in pkgutil.iter_modules(services.__path__))
REPOSITORY = Path(__file__).parents[4]
PATIENCE_S = 60.0
"""For a process to end that was told to; only one that never will lasts so long."""


def planted(name: str) -> Planted:
    """What is planted in the service `name`."""
    found: Planted = importlib.import_module(f"{services.__name__}.{name}").PLANTED
    return found


@contextmanager
def served(name: str, seed: int, *, widened: int = 1, postgres: str = "") -> Iterator[str]:
    """The address of the service, which runs in a process of its own meanwhile."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0), backlog=1_000) as listener:
        # The listener is open before the service is, so nobody has to ask whether it has come.
        process = subprocess.Popen(
            [sys.executable, "-m", "known_bottlenecks.serve", name, str(seed), str(widened), str(listener.fileno())],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "SEAWALL_LEVEL": "watched",
                "KNOWN_BOTTLENECKS_POSTGRES": postgres,
                "KNOWN_BOTTLENECKS_FOLDER": folder,
            },
            pass_fds=[listener.fileno()],
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main() -> None:
    """Serve until told to stop."""
    name, seed, widened, descriptor = sys.argv[1], *map(int, sys.argv[2:])
    build: Build = importlib.import_module(f"{services.__name__}.{name}").build
    application = build(draw(name, seed, widened=widened))
    config = uvicorn.Config(
        application, log_level="error", access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=60,
        http="httptools", loop="uvloop",
    )  # fmt: skip
    # Not `fd=descriptor`: uvicorn takes that for a Unix socket, so Nagle's algorithm stays on and each answer takes 40 ms.
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main()
