"""A kind of work that asks to be let in: how urgent it is, what is kept for it, and how long it may wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from seawall.errors import Misuse

Priority = Literal["critical", "interactive", "default", "background"]
"""Who goes first where no share decides, the most urgent first."""

RANKS: dict[str, int] = {priority: rank for rank, priority in enumerate(get_args(Priority))}


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of work at a gate. Plain data; checked when made.

    `share` is the part of the gate's seats (0 to 1) that no other workload can take while this one wants it. What it does
    not use is lent to others, and comes back as they leave: nobody inside is interrupted. `max_share` is the most it may
    have, lent seats included. Seats that no share claims go by `priority`: *critical*, *interactive*, *default*,
    *background*; so give a share to whatever must go on at any load.

    At most `queue_limit` wait, none longer than `deadline_s` seconds. Where `burst_s` is more, who comes to a queue that has
    not stood for so long may wait up to `burst_s`: a burst passes by itself and waits, while a queue that stands only makes
    everybody late (Nichols & Jacobson, "Controlling Queue Delay", ACM Queue 2012). Tenants stand in that queue with equal
    right, but for those named in `weights` (2.0: twice as much).

    An `exempt` workload (health checks, metrics, operations) is let in at once, always, and takes no seat from anyone; it is
    only counted. `cancel_on_disconnect` has the ASGI middleware cancel the handler of a client that has gone.

    Raises Misuse for a number that makes no sense.
    """

    name: str
    priority: Priority = "default"
    share: float = 0.0
    queue_limit: int = 64
    deadline_s: float = 2.0
    burst_s: float = 0.0
    max_share: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)
    exempt: bool = False
    cancel_on_disconnect: bool = False

    def __post_init__(self) -> None:
        for is_right, told in (
            (self.priority in RANKS, f"priority must be one of {', '.join(RANKS)}, not {self.priority!r}"),
            (0 <= self.share <= 1, f"share must be from 0 to 1, not {self.share}"),
            (self.share <= self.max_share <= 1, f"max_share must be from share to 1, not {self.max_share}"),
            (self.queue_limit >= 0, f"queue_limit must be 0 or more, not {self.queue_limit}"),
            (self.deadline_s > 0, f"deadline_s must be above 0, not {self.deadline_s}"),
            (self.burst_s >= 0, f"burst_s must be 0 or more, not {self.burst_s}"),
            (all(weight > 0 for weight in self.weights.values()), "weights must be above 0"),
        ):
            if not is_right:
                raise Misuse(f"workload {self.name}: {told}")

    def seats_at_most(self, limit: int) -> int:
        """How many of `limit` seats it may have; one at least, or it could never run."""
        return max(1, int(self.max_share * limit + 1e-9))
