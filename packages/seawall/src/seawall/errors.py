"""Every exception that Seawall raises. The second level says whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass


class SeawallError(Exception):
    """The root of everything that Seawall raises on purpose."""


class Overloaded(SeawallError):
    """Raised when something bounded is full. Come back after `retry_after_s` seconds, or shed the work.

    `reason` is a short machine-readable word or phrase, fit for a metric's label.
    """

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason, retry_after_s)
        self.reason = reason
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"overloaded: {self.reason}; retry after {self.retry_after_s:g} s"


class DeadlineExceeded(SeawallError, TimeoutError):
    """Raised when a wait reached its timeout or the ambient deadline. Nothing was taken; give up or ask anew.

    `resource` names what was waited for, `waited_s` says for how long (seconds).
    """

    def __init__(self, resource: str, waited_s: float) -> None:
        super().__init__(f"{resource}: gave up after waiting {waited_s:.3f} s")
        self.resource = resource
        self.waited_s = waited_s

    def __reduce__(self) -> tuple[type[DeadlineExceeded], tuple[str, float]]:
        return type(self), (self.resource, self.waited_s)


@dataclass(frozen=True, slots=True)
class Wait:
    """One edge of a deadlock: `waiter` waits for `resource`, which `holders` hold. Stacks are empty where unknown."""

    resource: str
    waiter: str
    holders: tuple[str, ...]
    waiter_stack: tuple[str, ...] = ()
    holder_stacks: tuple[tuple[str, ...], ...] = ()


class Deadlock(SeawallError):
    """Raised when waiting could never end, out of the acquire that would have closed the `cycle`.

    Today: entering a mutex again that the same thread or task already holds. The caller's other locks stay held.
    """

    def __init__(self, cycle: tuple[Wait, ...]) -> None:
        super().__init__(cycle)
        self.cycle = cycle

    def __str__(self) -> str:
        edges = "; ".join(f"{w.waiter} waits for {w.resource}, held by {', '.join(w.holders)}" for w in self.cycle)
        return f"deadlock: {edges}"


class LockOrderViolation(SeawallError):
    """Raised when two locks are taken in an order opposite to one seen before. Take `first` before `second` always."""

    def __init__(self, first: str, second: str, stacks: tuple[tuple[str, ...], ...] = ()) -> None:
        super().__init__(first, second, stacks)
        self.first = first
        self.second = second
        self.stacks = stacks

    def __str__(self) -> str:
        return f"{self.second!r} was taken before {self.first!r}, but elsewhere {self.first!r} comes before it"


class Closed(SeawallError, RuntimeError):
    """Raised when the resource `name` is closed, or closes while one waits. Do not ask it again.

    Also a RuntimeError, since that is what the standard library's executors and loops raise then.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is closed"


class Misuse(SeawallError):
    """Raised for a bug of the caller: what was asked can never be right. The message says what to do instead."""
