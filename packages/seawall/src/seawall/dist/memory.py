"""A store in this process: for tests, and for programs that are one process today."""

from __future__ import annotations

from seawall.clock import SYSTEM_CLOCK, Clock
from seawall.core.lease_table import Answer, Claim, LeaseTable
from seawall.core.rate import spend
from seawall.dist.store import Store
from seawall.runtime.threads import RawLock


class MemoryStore(Store):
    """Leases that hold among the threads and tasks of one process, by the same rules as those on a server.

    Never unavailable. `clock` plays the server's clock: with a `ManualClock` leases run out when a test says so.
    Tables stay for each name that was ever used.
    """

    def __init__(self, name: str = "memory", *, clock: Clock = SYSTEM_CLOCK, timeout_s: float = 1.0) -> None:
        tables = _Tables(clock)
        super().__init__(name, lambda: _View(tables), timeout_s=timeout_s)


class _Tables:
    """What a server would keep."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.guard = RawLock()
        self.tables: dict[str, LeaseTable] = {}  # guarded by self.guard
        self.full_at_s: dict[str, float] = {}  # guarded by self.guard


class _View:
    """See `dist.session.Session`."""

    def __init__(self, tables: _Tables) -> None:
        self._of = tables

    def ask(self, claim: Claim) -> Answer:
        with self._of.guard:
            return self._table(claim).ask(claim, self._of.clock.time())

    def renew(self, claim: Claim) -> bool:
        with self._of.guard:
            return self._table(claim).renew(claim.holder, claim.ttl_s, self._of.clock.time())

    def leave(self, claim: Claim) -> bool:
        with self._of.guard:
            return self._table(claim).leave(claim.holder, self._of.clock.time())

    def spend(self, name: str, rate_per_s: float, burst: float, cost: float) -> float:
        with self._of.guard:
            self._of.full_at_s[name], wait_s = spend(
                self._of.full_at_s.get(name, 0.0), rate_per_s=rate_per_s, burst=burst, cost=cost, now_s=self._of.clock.time()
            )
            return wait_s

    def close(self) -> None:
        pass

    def _table(self, claim: Claim) -> LeaseTable:
        return self._of.tables.setdefault(claim.name, LeaseTable())
