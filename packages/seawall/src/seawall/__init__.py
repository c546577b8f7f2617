"""Seawall: locks, pools and admission for Python services, with one graph of waiting."""

from seawall.admission.admitted import Admitted
from seawall.admission.gate import Gate
from seawall.core.limits import Adaptive, Fixed
from seawall.core.order_graph import OrderEdge
from seawall.core.statistics import Snapshot
from seawall.core.workload import Workload
from seawall.errors import (
    Closed,
    DeadlineExceeded,
    Deadlock,
    LeaseLost,
    LockOrderViolation,
    Misuse,
    Overloaded,
    SeawallError,
    StaleToken,
    StoreUnavailable,
    Wait,
)
from seawall.flow.batcher import Batcher
from seawall.flow.cache import Cache
from seawall.flow.single_flight import SingleFlight
from seawall.flow.worker import Stop, Worker
from seawall.locks.condition import Condition
from seawall.locks.mutex import Mutex
from seawall.locks.order import accept_order, forget_lock_order, lock_order
from seawall.locks.read_write import ReadWriteLock
from seawall.locks.semaphore import Semaphore
from seawall.locks.watchdog import Watchdog
from seawall.observe.events import (
    DeadlockFound,
    LeaseLapsed,
    LongHold,
    LoopStall,
    OrderInverted,
    add_observer,
    remove_observer,
)
from seawall.observe.loop_lag import LoopLag
from seawall.observe.openmetrics import openmetrics
from seawall.observe.registry import snapshot
from seawall.observe.server_timing import RequestTiming, request_timing
from seawall.observe.settings import configure
from seawall.pools.resource_pool import ResourcePool
from seawall.pools.thread_pool import ThreadPool
from seawall.runtime.deadline import deadline, remaining_s

__all__ = [
    "Adaptive",
    "Admitted",
    "Batcher",
    "Cache",
    "Closed",
    "Condition",
    "DeadlineExceeded",
    "Deadlock",
    "DeadlockFound",
    "Fixed",
    "Gate",
    "LeaseLapsed",
    "LeaseLost",
    "LockOrderViolation",
    "LongHold",
    "LoopLag",
    "LoopStall",
    "Misuse",
    "Mutex",
    "OrderEdge",
    "OrderInverted",
    "Overloaded",
    "ReadWriteLock",
    "RequestTiming",
    "ResourcePool",
    "SeawallError",
    "Semaphore",
    "SingleFlight",
    "Snapshot",
    "StaleToken",
    "Stop",
    "StoreUnavailable",
    "ThreadPool",
    "Wait",
    "Watchdog",
    "Worker",
    "Workload",
    "accept_order",
    "add_observer",
    "configure",
    "deadline",
    "forget_lock_order",
    "lock_order",
    "openmetrics",
    "remaining_s",
    "remove_observer",
    "request_timing",
    "snapshot",
]
