"""Starting threads, and the few raw primitives that Seawall itself stands on."""

from __future__ import annotations

import threading
from collections.abc import Callable

RawLock = threading.Lock
RawRLock = threading.RLock
RawCondition = threading.Condition
Thread = threading.Thread


def spawn(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start a thread. It is a daemon: whoever owns it stops it, and a forgotten one keeps no process alive."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def join(thread: threading.Thread, timeout_s: float | None) -> bool:
    """Wait for the thread's end. False after `timeout_s` seconds."""
    thread.join(None if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX))
    return not thread.is_alive()
