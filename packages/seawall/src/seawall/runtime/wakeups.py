"""Telling event loops from other threads that something is done: one wake-up for all that is done by then."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary, ref

from seawall.runtime.threads import RawLock
from seawall.runtime.who import Loop


class Wakeups:
    """Calls to be made on one loop. However many come in before the loop looks, it is woken once."""

    __slots__ = ("_calls", "_is_due", "_loop")

    def __init__(self, loop: Loop) -> None:
        self._loop = ref(loop)  # weak, or the table below would keep every loop alive
        self._calls: deque[Callable[[], None]] = deque()
        self._is_due = False

    def call(self, call: Callable[[], None]) -> bool:
        """Have `call` made on the loop's thread soon. From any thread. False where the loop is closed."""
        self._calls.append(call)
        if self._is_due:
            return True
        # Set before the loop is told, cleared before it looks: a call that came in between is seen by that look, and
        # at worst the loop is woken once for nothing.
        self._is_due = True
        loop = self._loop()
        try:
            if loop is not None:
                loop.call_soon_threadsafe(self._make_calls)
                return True
        except RuntimeError:
            pass  # it is closed
        self._calls.clear()
        self._is_due = False
        return False

    def _make_calls(self) -> None:
        self._is_due = False
        calls = self._calls
        try:
            for _ in range(len(calls)):
                calls.popleft()()
        finally:
            if calls and not self._is_due:  # one came late, or one raised: the rest get a turn of their own
                self._is_due = True
                asyncio.get_running_loop().call_soon(self._make_calls)


_OF_LOOP: WeakKeyDictionary[Loop, Wakeups] = WeakKeyDictionary()
_GUARD = RawLock()


def wakeups_of(loop: asyncio.AbstractEventLoop) -> Wakeups:
    """The one `Wakeups` of `loop`."""
    found = _OF_LOOP.get(loop)
    if found is None:
        with _GUARD:
            found = _OF_LOOP.setdefault(loop, Wakeups(loop))
    return found
