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
    """Raised when waiting could never end, out of the wait that would have closed the `cycle`.

    `cycle` has a `Wait` for each of those who wait for each other, this one first. Nothing was taken; what the caller
    held before stays held until it lets go, and then the others go on. Take the locks in one order everywhere.
    """

    def __init__(self, cycle: tuple[Wait, ...]) -> None:
        super().__init__(cycle)
        self.cycle = cycle

    def __str__(self) -> str:
        told = "\n".join(_edge(wait) + _lines(wait.waiter_stack) for wait in self.cycle)
        if len(self.cycle) > 1:
            told += (
                "\nTo mend it: take these in one order everywhere, or let go of the one before you wait for the other."
            )
        return f"deadlock: {told}"


class LockOrderViolation(SeawallError):
    """Raised when two locks are taken in an order opposite to one seen before. Take `first` before `second` always.

    Found at level *ordered* though no deadlock has happened yet, and before anything was taken. `owners` and `stacks`
    are whose and where: the order seen before, then the one refused. `way` is the order seen, where other locks lie
    between. With two locks of one name, `first` is `second`: give them an `order_key`, and take the lower one first.
    """

    def __init__(
        self,
        first: str,
        second: str,
        stacks: tuple[tuple[str, ...], ...] = (),
        owners: tuple[str, ...] = (),
        way: str = "",
    ) -> None:
        super().__init__(first, second, stacks, owners, way)
        self.first = first
        self.second = second
        self.stacks = stacks
        self.owners = owners
        self.way = way

    def __str__(self) -> str:
        if self.first == self.second:
            told = (
                f"two locks named {self.first!r} were nested without rising order keys: give each an `order_key`, and "
            )
            told += "take the lower one first"
        else:
            told = f"{self.second!r} was taken before {self.first!r}, but elsewhere {self.first!r} comes before it"
            told += f" ({self.way})" if self.way else ""
        owners = self.owners or ("somebody",) * len(self.stacks)
        shown = zip(("seen before", "refused now"), owners, self.stacks, strict=False)
        return told + "".join(f"\n{when}, in {owner}:{_lines(stack)}" for when, owner, stack in shown if stack)


class Closed(SeawallError, RuntimeError):
    """Raised when the resource `name` is closed, or closes while one waits. Do not ask it again.

    Also a RuntimeError, since that is what the standard library's executors and loops raise then.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is closed"


class StoreUnavailable(SeawallError):
    """Raised when the server behind `store` could not be asked: it is down, does not answer in time, or refuses.

    What was asked may or may not have been done. Try again later; `reason` has the driver's own words.
    """

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(store, reason)
        self.store = store
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.store} cannot be asked: {self.reason}"


class LeaseLost(SeawallError):
    """Raised when a lease ended before its holder gave it back. Somebody else may hold it now: stop, and write nothing.

    What was written with `token` through a fence is sound. `reason` says how it was lost.
    """

    def __init__(self, name: str, token: int, reason: str) -> None:
        super().__init__(name, token, reason)
        self.name = name
        self.token = token
        self.reason = reason

    def __str__(self) -> str:
        return f"lease {self.name} (token {self.token}) is lost: {self.reason}"


class StaleToken(SeawallError):
    """Raised by a fence that has let through a newer token than `token`: a later holder has written already.

    Nothing was written. The holder that is refused has lost its lease, whether or not it knows; `newest` is None where
    the fence did not say which token it has seen.
    """

    def __init__(self, resource: str, token: int, newest: int | None) -> None:
        super().__init__(resource, token, newest)
        self.resource = resource
        self.token = token
        self.newest = newest

    def __str__(self) -> str:
        seen = "a newer one" if self.newest is None else f"token {self.newest}"
        return f"{self.resource}: token {self.token} is refused, {seen} has written already"


class Misuse(SeawallError):
    """Raised for a bug of the caller: what was asked can never be right. The message says what to do instead."""


def _edge(wait: Wait) -> str:
    if wait.holders == (wait.waiter,):
        return f"{wait.waiter} waits for {wait.resource}, held by {wait.waiter} itself: nothing here is re-entrant"
    return f"{wait.waiter} waits for {wait.resource}, held by {', '.join(wait.holders)}"


def _lines(stack: tuple[str, ...]) -> str:
    return "".join(f"\n  {line}" for line in stack)
