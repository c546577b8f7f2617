"""What a pool's threads carry out, and the form of it that a task awaits; `pools.future` has the other one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Protocol

from seawall.clock import SYSTEM_CLOCK
from seawall.errors import Closed, DeadlineExceeded
from seawall.observe.server_timing import note_queued
from seawall.runtime.deadline import deadline_at_s, forget_deadline
from seawall.runtime.wakeups import Wakeups

_now_s = SYSTEM_CLOCK.monotonic


class Work(Protocol):
    """One piece of work in a pool's queue. Compared by identity."""

    since_s: float

    def carry_out(self) -> None:
        """Run it on the calling thread and tell the outcome. Never raises."""
        ...

    def drop(self) -> None:
        """Tell whoever waits that it was cancelled."""
        ...

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits that it will not be carried out, and why."""
        ...


class TaskWork:
    """Work that a task awaits: a future of its loop, told through the loop's shared wake-up."""

    __slots__ = (
        "_args",
        "_context",
        "_error",
        "_fn",
        "_kwargs",
        "_pool_name",
        "_result",
        "_until_s",
        "_wakeups",
        "future",
        "is_begun",
        "since_s",
    )

    def __init__(
        self,
        pool_name: str,
        fn: Callable[..., object],
        args: tuple[object, ...],
        kwargs: dict[str, object],
        future: asyncio.Future[object],
        wakeups: Wakeups,
        is_cleanup: bool,
    ) -> None:
        self._pool_name = pool_name
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self._wakeups = wakeups
        self._result: object = None
        self._error: BaseException | None = None
        self._context, self._until_s = surroundings(is_cleanup)
        self.future = future
        self.is_begun = False
        self.since_s = _now_s()

    def running(self) -> bool:
        """Whether it has begun."""
        return self.is_begun

    def carry_out(self) -> None:
        """See `Work`."""
        self.is_begun = True
        note_queued(self._context, "pool", self._pool_name, self.since_s)
        until_s = self._until_s
        try:
            if until_s is not None and SYSTEM_CLOCK.monotonic() >= until_s:
                raise DeadlineExceeded(f"pool {self._pool_name}", _now_s() - self.since_s)
            self._result = self._context.run(self._fn, *self._args, **self._kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the task that waits
            self._error = _fit_for_future(error)
        self._wakeups.call(self._tell)

    def drop(self) -> None:
        """See `Work`."""
        self.fail(Closed(f"pool {self._pool_name}"))

    def fail(self, error: BaseException) -> None:
        """See `Work`."""
        self._error = error
        self._wakeups.call(self._tell)

    def _tell(self) -> None:
        if self.future.done():
            return
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)


def surroundings(is_cleanup: bool) -> tuple[Context, float | None]:
    """The caller's context and deadline for its work. Clean-up has no deadline: it happens also when that has passed."""
    context = copy_context()
    if is_cleanup:
        context.run(forget_deadline)
        return context, None
    return context, deadline_at_s()


def _fit_for_future(error: BaseException) -> BaseException:
    if isinstance(error, StopIteration):  # asyncio refuses it, since a coroutine would take it for its own end
        replacement = RuntimeError("the function raised StopIteration")
        replacement.__cause__ = error
        return replacement
    return error
