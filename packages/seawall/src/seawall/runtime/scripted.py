"""Locks and threads that a script schedules, in place of the operating system's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

from seawall.runtime.script import Script, Strand
from seawall.runtime.threads import Thread


class ScriptedLock:
    """As `threading.Lock`. Who is woken takes it in whatever order the script says."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._is_locked = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """See `threading.Lock`."""
        script = self._script
        script.step()
        until_s = script.now_s + timeout
        while self._is_locked:
            if not blocking or timeout == 0:
                return False
            left_s = max(0.0, until_s - script.now_s) if timeout > 0 else None
            if not script.wait(self, left_s) and self._is_locked:
                return False
        self._is_locked = True
        return True

    def release(self) -> None:
        """See `threading.Lock`."""
        if not self._is_locked:
            raise RuntimeError("release unlocked lock")
        self._is_locked = False
        self._script.wake(self)
        self._script.step()

    def locked(self) -> bool:
        """See `threading.Lock`."""
        return self._is_locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class ScriptedRLock:
    """As `threading.RLock`."""

    def __init__(self, script: Script) -> None:
        self._lock = ScriptedLock(script)
        self._owner: int | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """See `threading.RLock`."""
        me = threading.get_ident()
        if self._owner != me:
            if not self._lock.acquire(blocking, timeout):
                return False
            self._owner = me
        self._count += 1
        return True

    def release(self) -> None:
        """See `threading.RLock`."""
        if self._owner != threading.get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if self._count == 0:
            self._owner = None
            self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class ScriptedPrimitives:
    """See `runtime.threads.Primitives`."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._strands: dict[int, Strand] = {}  # by the id of their threads, which they hold

    def lock(self) -> threading.Lock:
        """See `Primitives`."""
        return cast("threading.Lock", ScriptedLock(self._script))

    def rlock(self) -> threading.RLock:
        """See `Primitives`."""
        return cast("threading.RLock", ScriptedRLock(self._script))

    def spawn(self, name: str, run: Callable[[], None]) -> Thread:
        """See `Primitives`."""
        strand = self._script.thread(run, name)
        assert strand.thread is not None
        self._strands[id(strand.thread)] = strand
        self._script.step()
        return strand.thread

    def join(self, thread: Thread, timeout_s: float | None) -> bool:
        """See `Primitives`."""
        strand = self._strands[id(thread)]
        while not strand.is_over:
            if not self._script.wait(strand, timeout_s):
                break
        return strand.is_over
