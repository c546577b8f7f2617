"""What a pool's threads carry out: one piece of work, its context, and how its outcome is told."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from seawall.clock import SYSTEM_CLOCK
from seawall.errors import Closed, DeadlineExceeded
from seawall.runtime.deadline import remaining_s
from seawall.runtime.wakeups import Wakeups


class Work(Protocol):
    """One piece of work in a pool's queue."""

    since_s: float

    def carry_out(self) -> None:
        """Run it on the calling thread and tell the outcome. Never raises."""
        ...

    def drop(self) -> None:
        """Tell whoever waits that it will not be carried out."""
        ...


class Call:
    """A function with its arguments, in the context of whoever asked for it."""

    __slots__ = ("_args", "_context", "_fn", "_kwargs", "pool_name", "since_s")

    def __init__(
        self, pool_name: str, fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        self.pool_name = pool_name
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self._context = contextvars.copy_context()
        self.since_s = SYSTEM_CLOCK.monotonic()

    def make(self) -> object:
        """Call the function. Raises DeadlineExceeded instead where its deadline passed while it was queued."""
        return self._context.run(self._make)

    def _make(self) -> object:
        left_s = remaining_s()
        if left_s is not None and left_s <= 0:
            raise DeadlineExceeded(f"pool {self.pool_name}", SYSTEM_CLOCK.monotonic() - self.since_s)
        return self._fn(*self._args, **self._kwargs)


class PoolFuture(Future[object]):
    """A future whose cancellation takes the work out of the queue."""

    def __init__(self, call: Call, withdraw: Callable[[Work], bool]) -> None:
        super().__init__()
        self._call: Call | None = call
        self._withdraw = withdraw
        self.since_s = call.since_s

    def cancel(self) -> bool:
        """Cancel the work where it has not begun. True if it is cancelled."""
        if not super().cancel():
            return False
        if self._withdraw(self):
            self.set_running_or_notify_cancel()  # for concurrent.futures.wait, which the pool's thread would tell
        return True

    def carry_out(self) -> None:
        """See `Work`."""
        if not self.set_running_or_notify_cancel():
            return
        call, self._call = self._call, None
        assert call is not None
        try:
            result = call.make()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the one who waits
            self.set_exception(error)
        else:
            self.set_result(result)

    def drop(self) -> None:
        """See `Work`."""
        if super().cancel():
            self.set_running_or_notify_cancel()


class TaskWork:
    """Work that a task awaits: a future of its loop, told through the loop's shared wake-up."""

    __slots__ = ("_call", "_error", "_result", "_wakeups", "future", "since_s")

    def __init__(self, call: Call, future: asyncio.Future[object], wakeups: Wakeups) -> None:
        self._call = call
        self._wakeups = wakeups
        self._result: object = None
        self._error: BaseException | None = None
        self.future = future
        self.since_s = call.since_s

    def carry_out(self) -> None:
        """See `Work`."""
        try:
            self._result = self._call.make()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the task that waits
            self._error = _fit_for_future(error)
        self._wakeups.call(self._tell)

    def drop(self) -> None:
        """See `Work`."""
        self._error = Closed(f"pool {self._call.pool_name}")
        self._wakeups.call(self._tell)

    def _tell(self) -> None:
        if self.future.done():
            return
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)


def _fit_for_future(error: BaseException) -> BaseException:
    if isinstance(error, StopIteration):  # asyncio refuses it, since a coroutine would take it for its own end
        replacement = RuntimeError("the function raised StopIteration")
        replacement.__cause__ = error
        return replacement
    return error
