"""What a gate says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.core.histogram import NOTHING, Distribution


@dataclass(frozen=True, slots=True)
class Refused:
    """How many were refused for one reason: `full`, `wait`, `tenant`, `late` or `closed`."""

    reason: str
    total: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a gate has for one workload: `spare_seats` now, `waiting` for a seat, of `queue_limit` that may, for `deadline_s`
    seconds each, and `per_s` departures a second from the seats that it has, can have now or can count on, None until it is
    known how long one is held."""

    spare_seats: int
    waiting: int
    queue_limit: int
    deadline_s: float
    per_s: float | None


@dataclass(frozen=True, slots=True)
class WorkloadStatistics:
    """A workload of a gate. At any moment `arrivals_total` is `done_total` + all of `refused` + `cancelled_total` +
    `waiting` + `in_flight`.

    `in_flight` are inside. Of `done_total`, `ignored_total` told nothing of the load and `dropped_total` met an
    overload further on. `cancelled_total` counts those that left by themselves, while waiting or inside. `shed` is what
    a gate in shadow mode would have refused and let in. `service_s` is how long one holds a seat of late, None until that
    is known; `expected_wait_s` what a newcomer of a new tenant would wait; `capacity_per_s` what its seats are good for
    and `spare_seats` how many more it could have at once. `waits` has those by length who had to wait and were let in.
    """

    name: str
    priority: str
    share: float
    in_flight: int
    waiting: int
    tenants_waiting: int
    arrivals_total: int
    done_total: int
    ignored_total: int
    dropped_total: int
    cancelled_total: int
    refused: tuple[Refused, ...] = ()
    shed: tuple[Refused, ...] = ()
    service_s: float | None = None
    expected_wait_s: float = 0.0
    capacity_per_s: float | None = None
    spare_seats: int = 0
    oldest_wait_s: float = 0.0
    waits: Distribution = NOTHING

    @property
    def refused_total(self) -> int:
        """Refused for any reason."""
        return sum(refused.total for refused in self.refused)


@dataclass(frozen=True, slots=True)
class GateStatistics:
    """A gate. `limit` seats, of which `seats_taken` are taken (more for a while after the limit has shrunk).

    `delay_s` is how late those let in began, the mean of late (seconds), where the limit asks for it.
    """

    name: str
    limit: int
    seats_taken: int
    is_shadow: bool
    is_closed: bool
    holders: tuple[str, ...]
    workloads: tuple[WorkloadStatistics, ...]
    delay_s: float | None = None

    @property
    def in_flight(self) -> int:
        """How many are inside, in all workloads."""
        return sum(workload.in_flight for workload in self.workloads)

    @property
    def waiting(self) -> int:
        """How many wait, in all workloads."""
        return sum(workload.waiting for workload in self.workloads)
