"""Those who queue at a read-write lock: noted as readers or as the writer by whoever lets them through."""

from __future__ import annotations

from typing import Protocol

from seawall.core.turnstile import Turnstile
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.who import Loop, Owner


class Admission(Protocol):
    """What a waiter needs to know of its lock."""

    _turnstile: Turnstile
    _writer: Owner | None

    def _admit(self, owner: Owner) -> None: ...

    def _dismiss(self, owner: Owner) -> None: ...


class ThreadReader(ThreadWaiter):
    """A thread that wants to read. It is a reader before it wakes, and the turnstile goes on to the next."""

    __slots__ = ("_lock",)

    def __init__(self, lock: Admission) -> None:
        super().__init__()
        self._lock = lock

    def grant(self) -> bool:
        """See `core.line.Waiter`."""
        if not super().grant():
            return False
        self._lock._turnstile.pass_later()
        return True

    def _on_grant(self) -> None:
        self._lock._admit(self.owner)


class TaskReader(TaskWaiter):
    """A task that wants to read; see `ThreadReader`."""

    __slots__ = ("_lock",)

    def __init__(self, loop: Loop, lock: Admission) -> None:
        super().__init__(loop)
        self._lock = lock

    def grant(self) -> bool:
        """See `core.line.Waiter`."""
        if not super().grant():
            return False
        self._lock._turnstile.pass_later()
        return True

    def _on_grant(self) -> None:
        self._lock._admit(self.owner)

    def _on_failure(self) -> None:
        self._lock._dismiss(self.owner)


class ThreadWriter(ThreadWaiter):
    """A thread that wants to write. It keeps the turnstile, and is known to from the start."""

    __slots__ = ("_lock",)

    def __init__(self, lock: Admission) -> None:
        super().__init__()
        self._lock = lock

    def _on_grant(self) -> None:
        self._lock._writer = self.owner


class TaskWriter(TaskWaiter):
    """A task that wants to write; see `ThreadWriter`."""

    __slots__ = ("_lock",)

    def __init__(self, loop: Loop, lock: Admission) -> None:
        super().__init__(loop)
        self._lock = lock

    def _on_grant(self) -> None:
        self._lock._writer = self.owner

    def _on_failure(self) -> None:
        self._lock._writer = None
