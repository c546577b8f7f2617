"""Those who queue at a read-write lock: readers are noted as such by whoever lets them through.

That is done before the wait is decided: a waiter whose time is up at that very moment may find itself granted, go in and
leave again before the giver takes another step, and what was noted only then would stay for ever. A reader is noted
under its waiter, which no other entry of the same owner can be mistaken for, until it is awake and notes itself.
"""

from __future__ import annotations

from typing import Protocol

from seawall.core.turnstile import Turnstile
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.who import Loop, Owner


class Admission(Protocol):
    """What a waiter needs to know of its lock."""

    _turnstile: Turnstile

    def _admit(self, key: object, owner: Owner) -> None: ...

    def _dismiss(self, key: object) -> None: ...


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

    def _before_grant(self) -> None:
        self._lock._admit(self, self.owner)

    def _undo_grant(self) -> None:
        self._lock._dismiss(self)


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

    def _before_grant(self) -> None:
        self._lock._admit(self, self.owner)

    def _undo_grant(self) -> None:
        self._lock._dismiss(self)


class ThreadWriter(ThreadWaiter):
    """A thread that wants to write, and keeps the turnstile when it gets there."""

    __slots__ = ()


class TaskWriter(TaskWaiter):
    """A task that wants to write; see `ThreadWriter`."""

    __slots__ = ()
