"""The ambient deadline: how long anything below may still wait."""

from __future__ import annotations

from contextvars import ContextVar, Token
from math import inf
from types import TracebackType

from seawall.clock import SYSTEM_CLOCK

_UNTIL: ContextVar[float | None] = ContextVar("seawall_deadline", default=None)


class Deadline:
    """A scope in which every wait of Seawall ends in time. Made by `deadline`."""

    __slots__ = ("_timeout_s", "_token")

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._token: Token[float | None] | None = None

    def __enter__(self) -> None:
        outer = _UNTIL.get()
        until = outer
        if self._timeout_s is not None:
            until = SYSTEM_CLOCK.monotonic() + self._timeout_s
            if outer is not None and outer < until:
                until = outer
        self._token = _UNTIL.set(until)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _UNTIL.reset(self._token)
            self._token = None


def deadline(timeout_s: float | None) -> Deadline:
    """Bound every wait inside the `with` block: none lasts beyond `timeout_s` seconds from now.

    A wait that would raises `DeadlineExceeded`. Deadlines nest, and the earliest one holds; `None` adds none. It
    travels with the context: into tasks made inside, and into a `ThreadPool`'s threads. It ends Seawall's waits only,
    and never interrupts code that computes.

    >>> with deadline(2.0):
    ...     assert remaining_s() <= 2.0
    """
    return Deadline(timeout_s)


def deadline_at_s() -> float | None:
    """The ambient deadline as a moment of the monotonic clock, or None where there is none."""
    return _UNTIL.get()


def remaining_s() -> float | None:
    """Seconds left of the ambient deadline (negative when it has passed), or None where there is none."""
    until = _UNTIL.get()
    return None if until is None else until - SYSTEM_CLOCK.monotonic()


def wait_limit_s(timeout_s: float | None) -> float | None:
    """How long a wait may last: the shorter of `timeout_s` and what the ambient deadline leaves; never negative."""
    if timeout_s == inf:
        timeout_s = None
    left = remaining_s()
    if left is None or left == inf:
        return timeout_s if timeout_s is None or timeout_s > 0 else 0.0
    if timeout_s is not None and timeout_s < left:
        left = timeout_s
    return left if left > 0 else 0.0


def forget_deadline() -> None:
    """Drop the ambient deadline of this context, for work that outlives whoever asked for it."""
    _UNTIL.set(None)
