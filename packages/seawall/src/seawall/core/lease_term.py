"""When a holder renews and when it must believe its lease lost, by its own monotonic clock: plain arithmetic.

The term is counted from before the request was sent, so the server, which counts from when it came, ends it later. Nothing
here compares clocks of two machines; only their rates matter.
"""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 0.1
"""The part of the ttl that a holder gives away at the end: it takes itself for lost that much before the server does.

Clocks differ in rate by less than 0.001 (quartz is at 0.0001); the rest is time for the work to hear of it and stop.
"""

RENEW_AFTER = 1 / 3
"""The part of the ttl after which a lease is renewed, so that a renewal can fail and be tried again before it is late."""

RETRY_AFTER = 1 / 12
"""The part of the ttl between two tries while renewals fail: six of them before the lease is lost."""


@dataclass(slots=True)
class Term:
    """The time that one grant lasts, as its holder reckons. Seconds of the holder's monotonic clock."""

    ttl_s: float
    sent_s: float
    tried_s: float = 0.0

    def __post_init__(self) -> None:
        self.tried_s = max(self.tried_s, self.sent_s)

    def lost_at_s(self) -> float:
        """From when on the holder must not rely on it."""
        return self.sent_s + self.ttl_s * (1 - MARGIN)

    def renew_at_s(self) -> float:
        """When to try to renew next."""
        if self.tried_s > self.sent_s:
            return self.tried_s + self.ttl_s * RETRY_AFTER
        return self.sent_s + self.ttl_s * RENEW_AFTER

    def is_lost(self, now_s: float) -> bool:
        """Whether it is over at `now_s`."""
        return now_s >= self.lost_at_s()

    def renewed(self, sent_s: float) -> None:
        """The server has agreed to a renewal that was sent at `sent_s`."""
        self.sent_s = max(self.sent_s, sent_s)
        self.tried_s = self.sent_s

    def failed(self, sent_s: float) -> None:
        """A renewal sent at `sent_s` has had no answer."""
        self.tried_s = max(self.tried_s, sent_s)
