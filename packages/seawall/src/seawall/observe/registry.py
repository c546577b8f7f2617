"""Every named resource that is alive, held weakly: what is dropped or closed vanishes by itself."""

from __future__ import annotations

from typing import Protocol
from weakref import WeakValueDictionary

from seawall.core.gate_statistics import GateStatistics
from seawall.core.pool_statistics import CacheStatistics, ResourcePoolStatistics
from seawall.core.room_statistics import RoomStatistics
from seawall.core.statistics import (
    BatcherStatistics,
    FlightStatistics,
    LeaseStatistics,
    LockStatistics,
    LoopStatistics,
    PoolStatistics,
    ReadWriteLockStatistics,
    SemaphoreStatistics,
    Snapshot,
    WorkerStatistics,
)
from seawall.observe.events import EVENTS
from seawall.observe.settings import SETTINGS
from seawall.observe.waits import WAITS

Statistics = (
    LockStatistics
    | SemaphoreStatistics
    | ReadWriteLockStatistics
    | PoolStatistics
    | ResourcePoolStatistics
    | CacheStatistics
    | BatcherStatistics
    | FlightStatistics
    | WorkerStatistics
    | LoopStatistics
    | GateStatistics
    | LeaseStatistics
    | RoomStatistics
)


class Resource(Protocol):
    """What the registry keeps: anything that can say how it stands."""

    def statistics(self) -> Statistics:
        """How it stands, at about one moment."""
        ...


class Registry:
    """The living resources. All methods are safe from any thread."""

    def __init__(self) -> None:
        self._resources: WeakValueDictionary[int, Resource] = WeakValueDictionary()
        self._parts: WeakValueDictionary[int, Resource] = WeakValueDictionary()

    def add(self, resource: Resource) -> None:
        """Keep `resource` for as long as someone else does, or until `remove`."""
        self._resources[id(resource)] = resource

    def add_whole(self, resource: Resource, part: Resource) -> None:
        """Keep `resource`, and have snapshots leave out `part`, which has been added: it is shown as part of the whole."""
        self._parts[id(part)] = part
        self.add(resource)

    def remove(self, resource: Resource) -> None:
        """Forget `resource`, because it is closed."""
        self._resources.pop(id(resource), None)

    def living(self) -> list[Resource]:
        """All of them, in no order."""
        # `valuerefs` reads the table in one step; its `values` and `copy` would trip over a resource made meanwhile.
        return [resource for ref in self._resources.valuerefs() if (resource := ref()) is not None]

    def snapshot(self) -> Snapshot:
        """How all of them stand. Each is asked in turn, so the figures are of about one moment, not of exactly one."""
        found = [resource.statistics() for resource in self.living() if self._parts.get(id(resource)) is not resource]
        found.sort(key=lambda statistics: statistics.name)
        return Snapshot(
            locks=tuple(s for s in found if isinstance(s, LockStatistics)),
            semaphores=tuple(s for s in found if isinstance(s, SemaphoreStatistics)),
            read_write_locks=tuple(s for s in found if isinstance(s, ReadWriteLockStatistics)),
            pools=tuple(s for s in found if isinstance(s, PoolStatistics)),
            resource_pools=tuple(s for s in found if isinstance(s, ResourcePoolStatistics)),
            caches=tuple(s for s in found if isinstance(s, CacheStatistics)),
            batchers=tuple(s for s in found if isinstance(s, BatcherStatistics)),
            flights=tuple(s for s in found if isinstance(s, FlightStatistics)),
            workers=tuple(s for s in found if isinstance(s, WorkerStatistics)),
            loops=tuple(s for s in found if isinstance(s, LoopStatistics)),
            gates=tuple(s for s in found if isinstance(s, GateStatistics)),
            level=SETTINGS.level,
            waits=WAITS.now(),
            deadlocks=tuple(event.cycle for event in EVENTS.last_deadlocks()),
            findings=EVENTS.findings(),
            found=EVENTS.found(),
            leases=tuple(s for s in found if isinstance(s, LeaseStatistics)),
            rooms=tuple(s for s in found if isinstance(s, RoomStatistics)),
        )


REGISTRY = Registry()
"""The registry of this process."""


def snapshot() -> Snapshot:
    """How every named resource of this process stands: locks, semaphores, pools of threads and of resources, caches,
    gates, waiting rooms, batchers, flights, workers, loops.

    And who waits for whom, which deadlocks there were, and what else was found.

    Takes no lock that a resource's users wait for, and may be called from anywhere, at any rate that is sane.
    """
    return REGISTRY.snapshot()
