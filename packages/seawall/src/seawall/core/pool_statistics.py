"""What pools of resources and caches say of themselves."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.core.histogram import NOTHING, Distribution
from seawall.core.waiting import Waiting


@dataclass(frozen=True, slots=True)
class ResourcePoolStatistics:
    """A pool of resources. `holders` have one, `waiters` wait for one, first come first (`waiting` of them).

    `broken_total` counts the resources that were closed because they were discarded; `waits` has the waits by length.
    """

    name: str
    max_size: int
    in_use: int
    idle: int
    waiting: int
    holders: tuple[str, ...]
    created_total: int
    closed_total: int
    broken_total: int
    waits_total: int
    wait_s_total: float
    waiters: tuple[Waiting, ...] = ()
    waits: Distribution = NOTHING


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """A cache. A `stale` answer was served at once while it was being refreshed; a `miss` had to wait for the work."""

    name: str
    items: int
    max_items: int
    hits_total: int
    stale_total: int
    misses_total: int
    refreshes_failed_total: int
    evicted_total: int
