"""Who waits in this process: when a lease is given back here, the next of them looks at once instead of in a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from seawall.runtime.threads import RawLock


class Waiter(Protocol):
    """Somebody in line."""

    place: int
    wake: Callable[[], object]
    """Has it look again now. From any thread; must not block."""


class Waiting:
    """The waiters of one store in this process, by the name that they wait for. From any thread."""

    def __init__(self) -> None:
        self._guard = RawLock()
        self._by_name: dict[str, list[Waiter]] = {}  # guarded by self._guard

    def add(self, name: str, waiter: Waiter) -> None:
        """It begins to wait."""
        with self._guard:
            self._by_name.setdefault(name, []).append(waiter)

    def remove(self, name: str, waiter: Waiter) -> None:
        """It waits no more."""
        with self._guard:
            waiters = self._by_name[name]
            waiters.remove(waiter)
            if not waiters:
                del self._by_name[name]

    def wake(self, name: str) -> None:
        """Have the one look that stood foremost when it last looked. If somebody elsewhere is before it, it waits on."""
        with self._guard:
            waiters = self._by_name.get(name)
            first = min(waiters, key=lambda waiter: waiter.place) if waiters else None
        if first is not None:
            first.wake()
