"""What keeps leases alive: one thread that knows when each is to be renewed, and when it must be taken for lost.

That thread never speaks to a server, so a server that does not answer cannot keep a loss from being noticed in time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from seawall.clock import SYSTEM_CLOCK
from seawall.core.lease_table import Claim
from seawall.core.lease_term import Term
from seawall.errors import Closed
from seawall.flow.worker import Stop, Worker
from seawall.pools.thread_pool import ThreadPool
from seawall.runtime.threads import RawLock


class Kept(Protocol):
    """A lease that is held."""

    claim: Claim
    term: Term

    def lose(self, reason: str) -> None:
        """It is lost. Called once or more; the first counts."""
        ...

    def note_renewal(self, error: Exception | None) -> None:
        """A renewal has succeeded, or failed with `error`."""
        ...


class Keeper:
    """Renews what is given to it, each at a third of its ttl, through `renew`, on threads of its own."""

    def __init__(self, name: str, renew: Callable[[Claim], bool], threads: int) -> None:
        self.name = name
        self._renew = renew
        # All threads at once: they wait for servers and never compute, so none of the pool's reasons to hold back hold.
        self._pool = ThreadPool(f"{name} renewing", min_threads=threads, max_threads=threads)
        self._worker = Worker(f"{name} keeper", self._run)
        self._guard = RawLock()
        self._kept: dict[int, Kept] = {}  # guarded by self._guard
        self._renewing: set[int] = set()  # guarded by self._guard
        self._is_started = False  # guarded by self._guard
        self._is_closed = False  # guarded by self._guard

    def keep(self, kept: Kept) -> None:
        """Renew it from now on. Raises Closed."""
        with self._guard:
            if self._is_closed:
                raise Closed(f"store {self.name}")
            self._kept[id(kept)] = kept
            starts, self._is_started = not self._is_started, True
        if starts:
            self._worker.start()
        self._worker.wake()

    def drop(self, kept: Kept) -> None:
        """Renew it no more. A renewal that is under way is not waited for."""
        with self._guard:
            self._kept.pop(id(kept), None)

    def close(self) -> None:
        """Count what is held as lost and end the threads. Blocks until they have ended."""
        with self._guard:
            self._is_closed = True
            kept, self._kept = list(self._kept.values()), {}
        for each in kept:
            each.lose("its store was closed")
        self._worker.stop()
        self._pool.shutdown()

    def _run(self, stop: Stop) -> None:
        while not stop.is_set():
            stop.wait(self._look())

    def _look(self) -> float | None:
        now_s = SYSTEM_CLOCK.monotonic()
        due: list[Kept] = []
        lost: list[Kept] = []
        next_s: float | None = None
        with self._guard:
            for key, kept in list(self._kept.items()):
                at_s = kept.term.lost_at_s()
                if now_s >= at_s:
                    del self._kept[key]
                    lost.append(kept)
                    continue
                if key not in self._renewing:
                    if now_s >= kept.term.renew_at_s():
                        self._renewing.add(key)
                        due.append(kept)
                    else:
                        at_s = min(at_s, kept.term.renew_at_s())
                next_s = at_s if next_s is None else min(next_s, at_s)
        for kept in lost:
            kept.lose("it could not be renewed in time")
        for kept in due:
            self._pool.submit(self._renew_one, kept)
        return None if next_s is None else max(0.0, next_s - SYSTEM_CLOCK.monotonic())

    def _renew_one(self, kept: Kept) -> None:
        sent_s = SYSTEM_CLOCK.monotonic()
        try:
            is_inside = self._renew(kept.claim)
        except Exception as error:  # noqa: BLE001 - whatever it is, the lease lives until its term is over
            kept.term.failed(sent_s)
            kept.note_renewal(error)
        else:
            if is_inside:
                kept.term.renewed(sent_s)
                kept.note_renewal(None)
            else:
                self._lose_if_kept(kept)
        finally:
            with self._guard:
                self._renewing.discard(id(kept))
            self._worker.wake()

    def _lose_if_kept(self, kept: Kept) -> None:
        with self._guard:
            was_kept = self._kept.pop(id(kept), None) is not None
        if was_kept:  # else it was given back meanwhile, and so the store rightly knows it no more
            kept.lose("the store does not know it any more")
