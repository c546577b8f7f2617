"""What a back end has to do: one conversation with one server. The seam between leases and drivers."""

from __future__ import annotations

from typing import Protocol

from seawall.core.lease_table import Answer, Claim


class Session(Protocol):
    """One connection. Used by one thread at a time; each call is one round trip, bounded by the store's `timeout_s`.

    Each raises StoreUnavailable where it had no answer. All but `spend` may be repeated without harm.
    """

    def ask(self, claim: Claim) -> Answer:
        """See `core.lease_table.LeaseTable.ask`."""
        ...

    def renew(self, claim: Claim) -> bool:
        """See `core.lease_table.LeaseTable.renew`."""
        ...

    def leave(self, claim: Claim) -> bool:
        """See `core.lease_table.LeaseTable.leave`."""
        ...

    def spend(self, name: str, rate_per_s: float, burst: float, cost: float) -> float:
        """See `core.rate.spend`: 0 where it was taken, else the seconds until it could be."""
        ...

    def close(self) -> None:
        """End the conversation. Never raises."""
        ...
