"""Starting threads, and the few raw primitives that Seawall itself stands on.

Whatever blocks is made through `PRIMITIVES`, so that a test's scheduler can take its place; see `runtime.script`. It is
asked when a primitive is made and never when one is used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

RawCondition = threading.Condition
Thread = threading.Thread


class Primitives(Protocol):
    """What makes locks and threads."""

    def lock(self) -> threading.Lock:
        """A lock that is nobody's."""
        ...

    def rlock(self) -> threading.RLock:
        """A lock that its owner may take again."""
        ...

    def spawn(self, name: str, run: Callable[[], None]) -> Thread:
        """See `spawn`."""
        ...

    def join(self, thread: Thread, timeout_s: float | None) -> bool:
        """See `join`."""
        ...


class SystemPrimitives:
    """The operating system's."""

    lock = staticmethod(threading.Lock)
    rlock = staticmethod(threading.RLock)

    def spawn(self, name: str, run: Callable[[], None]) -> Thread:
        """See `spawn`."""
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def join(self, thread: Thread, timeout_s: float | None) -> bool:
        """See `join`."""
        thread.join(None if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX))
        return not thread.is_alive()


_SYSTEM: Primitives = SystemPrimitives()
_in_use = _SYSTEM


def use_primitives(primitives: Primitives | None) -> None:
    """Have everything made from now on come from `primitives`; None is the operating system's again."""
    global _in_use
    _in_use = _SYSTEM if primitives is None else primitives


def RawLock() -> threading.Lock:  # noqa: N802 - it stands where the class stood
    """A `threading.Lock`."""
    return _in_use.lock()


def RawRLock() -> threading.RLock:  # noqa: N802 - as above
    """A `threading.RLock`."""
    return _in_use.rlock()


class ProcessRLock:
    """A re-entrant lock that lives as long as the process, so that it is made before any script: it is looked up anew at
    each use. For what is entered rarely."""

    def __init__(self) -> None:
        self._system = threading.RLock()
        self._made: tuple[Primitives, threading.RLock] = (_SYSTEM, self._system)
        self._held = threading.local()

    def __enter__(self) -> None:
        primitives = _in_use
        if self._made[0] is not primitives:
            self._made = (primitives, self._system if primitives is _SYSTEM else primitives.rlock())
        lock = self._made[1]
        lock.acquire()
        self._held.stack = (lock, getattr(self._held, "stack", None))

    def __exit__(self, *raised: object) -> None:
        lock, self._held.stack = self._held.stack
        lock.release()


def spawn(name: str, run: Callable[[], None]) -> Thread:
    """Start a thread. It is a daemon: whoever owns it stops it, and a forgotten one keeps no process alive."""
    return _in_use.spawn(name, run)


def spawn_beside(name: str, run: Callable[[], None]) -> Thread:
    """As `spawn`, for a thread that serves the whole process and not whoever happens to start it: never scripted."""
    return _SYSTEM.spawn(name, run)


def join(thread: Thread, timeout_s: float | None) -> bool:
    """Wait for the thread's end. False after `timeout_s` seconds."""
    return _in_use.join(thread, timeout_s)
