"""A lease: one holder of a name among all processes, until it gives it back or is no longer heard of."""

from __future__ import annotations

from seawall.dist.shared_semaphore import SharedSemaphore
from seawall.dist.store import Store


class Lease(SharedSemaphore):
    """At most one holder of `name` among all threads, tasks and processes that use the same server.

    `with lease as held` in a thread, `async with lease as held` in a task, or `acquire` and `release`. First come, first
    served, where the store keeps a line. Everything waits within the ambient deadline; a waiter that is cancelled or
    late leaves nothing behind. Not re-entrant: entering again is `Misuse`.

    A lease lasts `ttl_s` seconds from its last renewal; it is renewed every third of that in the background, whatever
    the work under it does, also while it stalls its event loop. A holder that is not heard of for so long loses it.
    It takes itself for lost a tenth of `ttl_s` before the server does, by its own monotonic clock: then the task inside
    `async with` is cancelled and the block raises `LeaseLost`; a thread sees it by `held.check()` or `held.wait_lost()`,
    and its block raises `LeaseLost` at the end. A block that ends with an error of its own keeps that one.

    **A lease alone does not keep two holders from writing.** A process can be paused between looking and writing for
    longer than any `ttl_s` (SIGSTOP, a full swap, a suspended virtual machine, during which monotonic clocks stand
    still on Linux). So have what is written carry `held.token` through a fence: `postgresql.pass_fence`,
    `valkey.set_fenced`, or `Fence`.

    Source: C. G. Gray, D. R. Cheriton, Leases (SOSP 1989), for a lock that ends by itself and the holder's earlier clock;
    M. Kleppmann, How to do distributed locking (2016), for the token. What differs: tokens are lifted to the server's
    time in microseconds, so that they also rise where the server has lost its counter.

    >>> from seawall.dist import Lease, MemoryStore
    >>> with MemoryStore() as store:
    ...     with Lease("nightly-report", store, ttl_s=10) as held:
    ...         held.is_held()
    True
    """

    def __init__(self, name: str, store: Store, *, ttl_s: float) -> None:
        super().__init__(name, store, ttl_s=ttl_s, permits=1)
