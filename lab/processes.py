"""Processes of the lab, and where it lies."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
END_S = 5.0


def end(process: subprocess.Popen[bytes], within_s: float = END_S) -> None:
    """SIGTERM, and SIGKILL for what hangs."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port on the loopback that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
