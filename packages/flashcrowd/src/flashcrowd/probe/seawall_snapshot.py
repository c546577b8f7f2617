"""Seawall's snapshot as JSON: from its console (`/seawall/snapshot`), or Turnout's `/ops/snapshot`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from flashcrowd.samples import Process, Resource, ResourceKind
from flashcrowd.words import kind_of

Fields = Mapping[str, object]


def read_seawall(snapshot: Fields) -> tuple[tuple[Resource, ...], Process]:
    """The resources in a snapshot, and the process. What is missing or of another type is None. Does not raise."""
    resources = [
        resource for part, read in _READ.items() for fields in _list(snapshot, part) for resource in read(fields)
    ]
    return tuple(resources), _process(snapshot)


def _lock(fields: Fields) -> Iterator[Resource]:
    yield _waited(fields, kind="lock", capacity=1.0, in_use=_length(fields, "holders"))


def _read_write_lock(fields: Fields) -> Iterator[Resource]:
    # Busy is busy, however many read: more places are not to be had.
    busy = bool(_length(fields, "readers")) or fields.get("writer") is not None
    yield _waited(fields, kind="lock", capacity=1.0, in_use=float(busy))


def _semaphore(fields: Fields) -> Iterator[Resource]:
    permits, free = _number(fields, "permits"), _number(fields, "free")
    in_use = None if permits is None or free is None else max(0.0, permits - free)
    # SQLAlchemy's pool on Seawall is a semaphore there, as is whatever people guard their connections with.
    is_pool = kind_of(_name(fields), is_called=False) == "connection pool"
    yield _waited(fields, kind="connection pool" if is_pool else "semaphore", capacity=permits, in_use=in_use)


def _resource_pool(fields: Fields) -> Iterator[Resource]:
    yield _waited(
        fields, kind="connection pool", capacity=_number(fields, "max_size"), in_use=_number(fields, "in_use")
    )


def _pool(fields: Fields) -> Iterator[Resource]:
    yield Resource(
        _name(fields),
        "thread pool",
        capacity=_number(fields, "max_threads"),
        in_use=_number(fields, "busy"),
        waiting=_number(fields, "queued"),
        uses_total=_number(fields, "done_total"),
        refused_total=_number(fields, "refused_total"),
    )


def _batcher(fields: Fields) -> Iterator[Resource]:
    yield Resource(
        _name(fields), "queue", waiting=_number(fields, "pending"), uses_total=_number(fields, "items_total")
    )


def _gate(fields: Fields) -> Iterator[Resource]:
    workloads = _list(fields, "workloads")
    refused = [_number(one, "total") or 0.0 for workload in workloads for one in _list(workload, "refused")]
    yield Resource(
        _name(fields),
        "gate",
        capacity=_number(fields, "limit"),
        in_use=_number(fields, "seats_taken"),
        waiting=sum(_number(workload, "waiting") or 0.0 for workload in workloads),
        uses_total=sum(_number(workload, "done_total") or 0.0 for workload in workloads),
        refused_total=sum(refused),
    )


_READ: Mapping[str, Callable[[Fields], Iterator[Resource]]] = {
    "locks": _lock,
    "read_write_locks": _read_write_lock,
    "semaphores": _semaphore,
    "pools": _pool,
    "resource_pools": _resource_pool,
    "batchers": _batcher,
    "gates": _gate,
}


def _waited(fields: Fields, *, kind: ResourceKind, capacity: float | None, in_use: float | None) -> Resource:
    """What all that are waited for in a line have in common."""
    holds = fields.get("holds")
    held = holds if isinstance(holds, dict) else {}
    hold_s, counts = _number(held, "sum_s"), held.get("counts")
    uses = float(sum(counts)) if isinstance(counts, list) and all(isinstance(one, int) for one in counts) else None
    return Resource(
        _name(fields),
        kind,
        capacity=capacity,
        in_use=in_use,
        waiting=_length(fields, "waiters"),
        wait_s_total=_number(fields, "wait_s_total"),
        waits_total=_number(fields, "waits_total"),
        hold_s_total=hold_s if uses else None,  # holds are taken at level *timed* only
        uses_total=uses or None,
    )


def _process(snapshot: Fields) -> Process:
    found = snapshot.get("process")
    process = found if isinstance(found, dict) else {}
    lags = [lag for loop in _list(snapshot, "loops") if (lag := _number(loop, "lag_s")) is not None]
    return Process(
        cpu_s_total=_number(process, "cpu_s"),
        cores=1.0 if process else None,  # it is Python, and one process
        rss_bytes=_number(process, "rss_bytes"),
        threads=_number(process, "threads"),
        loop_lag_s=max(lags, default=None),
    )


def _name(fields: Fields) -> str:
    return str(fields.get("name") or "unnamed")


def _number(fields: Fields, name: str) -> float | None:
    found = fields.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _length(fields: Fields, name: str) -> float | None:
    found = fields.get(name)
    return float(len(found)) if isinstance(found, list) else None


def _list(fields: Fields, name: str) -> list[Fields]:
    found = fields.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
