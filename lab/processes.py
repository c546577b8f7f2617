"""Processes of the lab, and where it lies."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
END_S = 5.0


class Cores(NamedTuple):
    """Which cores a process may run on, by number; empty where nothing is said of it."""

    target: frozenset[int]
    generator: frozenset[int]


def apart() -> Cores:
    """One core for the generator and all others for what it is sent to, so that neither is slow because of the other.

    Both empty where there is one core only, or the system binds none.
    """
    if not hasattr(os, "sched_getaffinity"):
        return Cores(frozenset(), frozenset())
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return Cores(frozenset(), frozenset())
    return Cores(frozenset(cores[:-1]), frozenset(cores[-1:]))


def bind(process: subprocess.Popen[bytes], cores: frozenset[int]) -> None:
    """Has a process that was just started, and all that it starts, run on these cores; nothing where there are none."""
    if cores:
        os.sched_setaffinity(process.pid, cores)


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
