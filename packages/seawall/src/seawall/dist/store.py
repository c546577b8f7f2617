"""Where leases are kept: a server, the connections to it, and what keeps leases alive meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from seawall.clock import SYSTEM_CLOCK
from seawall.core.lease_table import Answer, Claim
from seawall.dist.keeper import Keeper
from seawall.dist.session import Session
from seawall.dist.waiting import Waiting
from seawall.errors import DeadlineExceeded, Misuse, StoreUnavailable
from seawall.pools.resource_pool import ResourcePool
from seawall.pools.thread_pool import ThreadPool
from seawall.runtime.deadline import remaining_s

T = TypeVar("T")
S = TypeVar("S", bound="Store")

RENEWING = 2
"""Connections and threads for renewals, apart from all others, so that no crowd of waiters makes a holder late."""


class Store:
    """The base of `PostgresqlStore`, `ValkeyStore` and the others: what leases and limits of one server share.

    For threads and tasks at once. `timeout_s` (seconds) bounds one round trip; connecting may take 2 s more. At most
    `max_connections` connections serve callers, and 2 more the renewals; they are made when needed. `close()` it at the
    end, or use it in a `with`: what is held then counts as lost.
    """

    def __init__(
        self, name: str, connect: Callable[[], Session], *, timeout_s: float = 1.0, max_connections: int = 4
    ) -> None:
        if not 0 < timeout_s < float("inf") or max_connections < 1:
            raise Misuse(
                f"store {name}: timeout_s must be above 0 and max_connections 1 or more, not {timeout_s}, {max_connections}"
            )
        self.name = name
        self.timeout_s = timeout_s
        self._calls = _sessions(f"{name} calls", connect, max_connections)
        self._renewals = _sessions(f"{name} renewals", connect, RENEWING)
        self.threads = ThreadPool(f"{name} tasks", min_threads=0, max_threads=max_connections)
        self.waiting = Waiting()
        self.keeper = Keeper(name, self.renew, RENEWING)

    def ask(self, claim: Claim) -> Answer:
        """Ask for a slot, or for the place in line; one round trip. Raises StoreUnavailable."""
        return self._on(self._calls, lambda session: session.ask(claim))

    def renew(self, claim: Claim) -> bool:
        """Extend the claim; False where it is over. Raises StoreUnavailable."""
        return self._on(self._renewals, lambda session: session.renew(claim))

    def leave(self, claim: Claim) -> bool:
        """Give up a slot or a place in line, whatever deadline has passed; True where a slot was held.

        Raises StoreUnavailable; both end by themselves then.
        """
        was_inside: bool = Context().run(self._on, self._calls, lambda session: session.leave(claim))
        return was_inside

    def spend(self, name: str, rate_per_s: float, burst: float, cost: float) -> float:
        """Take from a shared rate; 0, or the seconds to wait. Never repeated. Raises StoreUnavailable."""
        return self._once(self._calls, lambda session: session.spend(name, rate_per_s, burst, cost), [])

    def close(self) -> None:
        """Stop renewing, count what is held as lost, and close the connections. Blocks until its threads have ended."""
        self.keeper.close()
        self.threads.shutdown()
        self._calls.close()
        self._renewals.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _on(self, sessions: ResourcePool[_Kept], work: Callable[[Session], T]) -> T:
        began_s = SYSTEM_CLOCK.monotonic()
        while True:
            proven: list[bool] = []
            try:
                return self._once(sessions, work, proven)
            except StoreUnavailable:
                # A server that was restarted has closed all idle connections, and each is found broken only when used. So
                # what fails at once on a connection that has worked before is tried on the next; what took its time is not.
                if not any(proven) or SYSTEM_CLOCK.monotonic() - began_s >= self.timeout_s / 2:
                    raise

    def _once(self, sessions: ResourcePool[_Kept], work: Callable[[Session], T], proven: list[bool]) -> T:
        try:
            with sessions.borrow(timeout_s=self.timeout_s) as kept:
                proven.append(kept.has_worked)
                result = work(kept.session)
                kept.has_worked = True
                return result
        except DeadlineExceeded as error:
            left_s = remaining_s()
            if left_s is not None and left_s <= 0:
                raise
            raise StoreUnavailable(self.name, "no connection was free in time") from error


@dataclass(eq=False, slots=True)
class _Kept:
    """A session of the pool."""

    session: Session
    has_worked: bool = False


def _sessions(name: str, connect: Callable[[], Session], max_size: int) -> ResourcePool[_Kept]:
    return ResourcePool(
        name,
        lambda: _Kept(connect()),
        max_size=max_size,
        close=lambda kept: kept.session.close(),
        is_broken=lambda error: isinstance(error, StoreUnavailable),
    )
