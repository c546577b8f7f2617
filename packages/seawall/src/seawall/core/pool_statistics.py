"""What pools of resources and caches say of themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourcePoolStatistics:
    """A pool of resources. `waiting` counts those in line; `broken_total` those closed because they were discarded."""

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
