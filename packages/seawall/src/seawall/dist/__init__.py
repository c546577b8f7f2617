"""Leases, semaphores and limits that processes share, kept by a server, with tokens against writers that come too late.

`seawall.dist.postgresql` and `seawall.dist.valkey` have the stores; each needs its driver (psycopg 3, valkey-py).
"""

from seawall.dist.fence import Fence
from seawall.dist.held import Held
from seawall.dist.lease import Lease
from seawall.dist.memory import MemoryStore
from seawall.dist.shared_limit import SharedLimit
from seawall.dist.shared_semaphore import SharedSemaphore
from seawall.dist.store import Store

__all__ = ["Fence", "Held", "Lease", "MemoryStore", "SharedLimit", "SharedSemaphore", "Store"]
