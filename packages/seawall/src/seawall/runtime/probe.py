"""What the machine is doing, as far as a process can tell."""

from __future__ import annotations

import os
import sys
import time
from types import FrameType

from seawall.runtime.frames import current_frames

FUTURES_FILE = os.path.join("concurrent", "futures", "_base.py")


def cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return (os.cpu_count() or 1) if affinity is None else len(affinity(0))


def cpu_s() -> float:
    """Seconds of CPU that this process has used."""
    return time.process_time()


def switch_interval_s() -> float:
    """How long a thread keeps the GIL while others want it."""
    return sys.getswitchinterval()


def stack_of(ident: int) -> tuple[str, ...]:
    """Where the thread is, outermost call first, as `file:line in function`; empty where it has ended."""
    frame: object = current_frames().get(ident)
    found: list[str] = []
    while isinstance(frame, FrameType):
        found.append(f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}")
        frame = frame.f_back
    return tuple(reversed(found))


def futures_waited_for(ident: int, depth: int = 6) -> tuple[object, ...]:
    """The futures in whose wait the thread stands, where that is one of `concurrent.futures` or built on it, as anyio's
    and asyncio's answers to threads are. Empty where it stands somewhere else."""
    frame = current_frames().get(ident)
    for _ in range(depth):
        # Seen with 3.11: a running thread's chain of frames may lead, for an instant, to something that is no frame.
        if not isinstance(frame, FrameType):
            break
        if frame.f_code.co_filename.endswith(FUTURES_FILE):
            found = frame.f_locals.get("fs", frame.f_locals.get("self"))
            return tuple(found) if isinstance(found, (set, list, tuple, frozenset)) else (found,)
        frame = frame.f_back
    return ()
