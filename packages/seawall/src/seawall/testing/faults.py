"""Things that go wrong on demand: a call that fails, one that takes as long as a test likes, a task that leaves, a
system without threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar

from seawall.runtime.park import Parker
from seawall.runtime.threads import RawLock, SystemPrimitives, Thread, use_primitives

P = ParamSpec("P")
T = TypeVar("T")


class Failing(Generic[P, T]):
    """`fn`, whose calls of the given numbers (from 1) raise `error` instead. Counts all of them, from any thread.

    >>> store = Failing([].append, calls=[2], error=OSError("disk full"))
    >>> store(1)
    >>> store(2)
    Traceback (most recent call last):
    OSError: disk full
    """

    def __init__(self, fn: Callable[P, T], *, calls: Collection[int], error: Exception) -> None:
        self._fn = fn
        self._calls = calls
        self._error = error
        self._guard = RawLock()
        self.count = 0

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn`, or fail."""
        with self._guard:
            self.count += 1
            fails = self.count in self._calls
        if fails:
            raise self._error
        return self._fn(*args, **kwargs)


class Held(Generic[T]):
    """A call for another thread, which begins, says so, and returns `result` when the test lets it."""

    def __init__(self, result: T, *, timeout_s: float = 30.0) -> None:
        self._result = result
        self._timeout_s = timeout_s
        self._begun = Parker()
        self._go_on = Parker()

    def __call__(self, *_: object) -> T:
        """Begin, and wait for `let_go`. Raises TimeoutError where the test forgot it."""
        self._begun.unpark()
        if not self._go_on.park(self._timeout_s):
            raise TimeoutError("held for too long: let_go was not called")
        return self._result

    def wait_begun(self) -> None:
        """Block until it has begun. Raises TimeoutError where it does not."""
        if not self._begun.park(self._timeout_s):
            raise TimeoutError("it did not begin")
        self._begun.unpark()  # for whoever asks next

    def let_go(self) -> None:
        """Let it return."""
        self._go_on.unpark()


async def leaves_after(turns: int, coroutine: Coroutine[Any, Any, T]) -> T | None:
    """Run `coroutine` as a task and cancel it after so many turns of the loop. Its result, or None if it was cancelled."""
    task = asyncio.ensure_future(coroutine)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return None


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Inside, Seawall can start no thread, as under a limit of the system: RuntimeError."""
    use_primitives(_NoThreads())
    try:
        yield
    finally:
        use_primitives(None)


class _NoThreads(SystemPrimitives):
    def spawn(self, name: str, run: Callable[[], None]) -> Thread:
        raise RuntimeError("can't start new thread")
