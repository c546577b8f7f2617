"""Who was found by a secret's hash, so that not every request asks the database; and forgotten at once when it matters."""

from __future__ import annotations

from collections import OrderedDict

from seawall.clock import Clock
from turnout.model.site import Principal

REMEMBERED = 10_000


class Known:
    """Principals by the hash of their session or key. For one event loop.

    Everything that ends a session, a key or a membership calls `forget` after its commit, so nothing here outlives its
    row. It forgets all: that is rare, and what is still good is found again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()
        self._forgotten = 0

    @property
    def generation(self) -> int:
        """Which time of remembering this is. Take it before a look-up, and hand it to `remember` after."""
        return self._forgotten

    def find(self, secret_hash: bytes) -> Principal | None:
        """Whom the hash names, while that holds."""
        known = self._known.get(secret_hash)
        if known is None:
            return None
        if known[1] <= self._clock.time():
            del self._known[secret_hash]
            return None
        return known[0]

    def remember(self, secret_hash: bytes, principal: Principal, until_s: float, generation: int) -> None:
        """Keeps what a look-up found; not where something was forgotten while it looked."""
        if generation != self._forgotten:
            return
        self._known[secret_hash] = (principal, until_s)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """From now on everybody is looked up anew, also whoever is being looked up now."""
        self._known.clear()
        self._forgotten += 1
