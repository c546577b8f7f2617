"""Resources in the metrics of any service, by the words of their names, since no two services name them alike.

A family's last words say what its figure is (`…_in_use`, `…_max`, `…_pending_requests`), what is before them names the
resource, and its words say of which kind it is. What has no such words is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from flashcrowd.probe.metrics_text import Metric
from flashcrowd.samples import Process, Resource, ResourceKind
from flashcrowd.words import kind_of

Figure = Literal["capacity", "in_use", "waiting", "wait_s_total", "waits_total", "hold_s_total", "uses_total"]

SUFFIXES: dict[str, Figure] = {
    "wait_time_seconds_sum": "wait_s_total", "wait_seconds_sum": "wait_s_total",
    "wait_time_seconds_count": "waits_total", "wait_seconds_count": "waits_total",
    "wait_seconds_total": "wait_s_total", "waits_total": "waits_total",
    "hold_seconds_sum": "hold_s_total", "use_time_seconds_sum": "hold_s_total",
    "hold_seconds_count": "uses_total", "use_time_seconds_count": "uses_total",
    "duration_seconds_sum": "hold_s_total", "duration_seconds_count": "uses_total",
    "latency_seconds_sum": "hold_s_total", "latency_seconds_count": "uses_total",
    "in_use": "in_use", "used": "in_use", "busy": "in_use", "active": "in_use", "borrowed": "in_use",
    "checked_out": "in_use", "checkedout": "in_use", "acquired": "in_use", "taken": "in_use", "workers_busy": "in_use",
    "max": "capacity", "max_size": "capacity", "limit": "capacity", "capacity": "capacity", "workers": "capacity",
    "permits": "capacity", "waiting": "waiting", "waiters": "waiting", "pending": "waiting", "queued": "waiting",
    "pending_requests": "waiting", "depth": "waiting", "length": "waiting", "backlog": "waiting", "queue": "waiting",
}  # fmt: skip
"""The last words of a family, and what they say. Of several that fit, the longest counts."""

SERVED = ("http_server", "http_request_duration", "http_requests", "starlette", "fastapi", "flask_http", "django_http")
"""Families about what the service itself serves: the whole of a request is no cause of its length."""

WHERE = (
    "pool",
    "name",
    "lock",
    "semaphore",
    "queue",
    "address",
    "host",
    "peer",
    "upstream",
    "target",
    "executor",
    "gate",
)
"""Labels, in part, that tell one resource from another. Others (method, code, operation) are added up."""

CORES = ("go_sched_gomaxprocs_threads", "system_cpu_count")
"""How many cores a process may use: of Go's runtime, and of the JVM's Micrometer."""

LAGS = ("seawall_loop_lag_seconds", "nodejs_eventloop_lag_seconds")

_BUSY = {"used", "active", "busy", "in_use", "checked_out"}
_BY_LENGTH = sorted(SUFFIXES, key=len, reverse=True)


def read_metrics(metrics: Iterable[Metric]) -> tuple[tuple[Resource, ...], Process]:
    """The resources that the metrics tell of, and the process. What is not told is None. Does not raise."""
    figures: dict[str, dict[Figure, float]] = defaultdict(lambda: defaultdict(float))
    kinds: dict[str, str] = {}
    process: dict[str, float] = {}
    for metric in metrics:
        process[metric.name] = process.get(metric.name, 0.0) + metric.value
        found = _figure_of(metric)
        if found is None or metric.name.startswith(SERVED):
            continue
        family, figure = found
        name = _name(family, metric.labels)
        figures[name][figure] += metric.value
        kinds.setdefault(name, family)
    resources = []
    for name, read in _joined(figures).items():
        kind = kind_of(kinds[name], is_called="hold_s_total" in read)
        if kind is not None:
            resources.append(_resource(name, kind, read))
    return tuple(resources), _process(process)


def _resource(name: str, kind: ResourceKind, read: dict[Figure, float]) -> Resource:
    return Resource(
        name,
        kind,
        capacity=read.get("capacity"),
        in_use=read.get("in_use"),
        waiting=read.get("waiting"),
        wait_s_total=read.get("wait_s_total"),
        waits_total=read.get("waits_total"),
        hold_s_total=read.get("hold_s_total"),
        uses_total=read.get("uses_total"),
    )


def _figure_of(metric: Metric) -> tuple[str, Figure] | None:
    state = next((value for label, value in metric.labels.items() if label.endswith("state")), None)
    if state is not None:
        family = metric.name.removesuffix("_count").removesuffix("_usage")
        return (family, "in_use") if state in _BUSY else None
    for suffix in _BY_LENGTH:
        if metric.name.endswith(f"_{suffix}"):
            figure = SUFFIXES[suffix]
            return metric.name[: -len(suffix) - 1] + _kept(suffix), figure
    if metric.name.endswith("queue_size"):  # of a queue, its size is what is in it; of a pool, how large it is
        return metric.name.removesuffix("_size"), "waiting"
    return (metric.name.removesuffix("_size"), "capacity") if metric.name.endswith("pool_size") else None


def _kept(suffix: str) -> str:
    """What stays of the last words: a duration is known by its family's whole name, a queue is one by its last word."""
    if suffix.startswith(("duration", "latency")):
        return "_" + suffix.rpartition("_")[0]
    return "_queue" if suffix == "queue" else ""


def _name(family: str, labels: dict[str, str]) -> str:
    where = [value for label, value in labels.items() if any(word in label for word in WHERE) and "state" not in label]
    if family.startswith("seawall_") and where:
        return " ".join(where)
    return " ".join([family, *where])


def _joined(figures: dict[str, dict[Figure, float]]) -> dict[str, dict[Figure, float]]:
    """With the queue of a pool, which has a name of its own (`x_queue` of `x`), as part of it."""
    joined = {name: dict(read) for name, read in figures.items()}
    for name in figures:
        of = name.removesuffix("_queue")
        if of != name and of in joined and "waiting" not in joined[of]:
            joined[of].update({figure: value for figure, value in joined.pop(name).items() if figure not in joined[of]})
    return joined


def _process(values: dict[str, float]) -> Process:
    is_python = "python_info" in values or any(name.startswith(("python_gc", "seawall_")) for name in values)
    is_one_core = is_python or "nodejs_eventloop_lag_seconds" in values
    cores = next((values[name] for name in CORES if name in values), None)
    return Process(
        cpu_s_total=values.get("process_cpu_seconds_total"),
        cores=1.0 if is_one_core else cores,
        rss_bytes=values.get("process_resident_memory_bytes"),
        loop_lag_s=next((values[name] for name in LAGS if name in values), None),
    )
