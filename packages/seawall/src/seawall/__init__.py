"""Seawall: locks, pools and admission for Python services, with one graph of waiting."""

from seawall.core.statistics import Snapshot
from seawall.errors import (
    Closed,
    DeadlineExceeded,
    Deadlock,
    LockOrderViolation,
    Misuse,
    Overloaded,
    SeawallError,
    Wait,
)
from seawall.flow.batcher import Batcher
from seawall.flow.cache import Cache
from seawall.flow.single_flight import SingleFlight
from seawall.flow.worker import Stop, Worker
from seawall.locks.mutex import Mutex
from seawall.locks.semaphore import Semaphore
from seawall.observe.loop_lag import LoopLag
from seawall.observe.openmetrics import openmetrics
from seawall.observe.registry import snapshot
from seawall.pools.resource_pool import ResourcePool
from seawall.pools.thread_pool import ThreadPool
from seawall.runtime.deadline import deadline, remaining_s

__all__ = [
    "Batcher",
    "Cache",
    "Closed",
    "DeadlineExceeded",
    "Deadlock",
    "LockOrderViolation",
    "LoopLag",
    "Misuse",
    "Mutex",
    "Overloaded",
    "ResourcePool",
    "SeawallError",
    "Semaphore",
    "SingleFlight",
    "Snapshot",
    "Stop",
    "ThreadPool",
    "Wait",
    "Worker",
    "deadline",
    "openmetrics",
    "remaining_s",
    "snapshot",
]
