"""Waiting for work of a pool, as the graph of waiting sees it: it goes on when the thread that has the work in hand can."""

from __future__ import annotations

from typing import Protocol

from seawall.core.wait_graph import Need
from seawall.observe.settings import SETTINGS
from seawall.observe.waits import WAITS, OwnerNeed
from seawall.runtime.who import Owner, get_ident, running_loop


class Carriers(Protocol):
    """What is asked of a crew."""

    name: str

    def carrier_of(self, work: object) -> int | None:
        """The ident of the thread that has `work` in hand; None where it is queued, over, or inside other work."""
        ...


class Begun(Protocol):
    """What is asked of a piece of work."""

    def running(self) -> bool:
        """Whether it has begun."""
        ...


class Ended(Protocol):
    """What is asked of a future."""

    def done(self) -> bool:
        """Whether it has ended."""
        ...


class AwaitedWork:
    """One wait of `owner` for `work`; used as `with AwaitedWork(...):` around it.

    Raises Deadlock on the way in where the thread that has the work in hand waits, in the end, for `owner`. Where that
    comes about later, the thread is the one that is refused, and the work ends with its Deadlock. Queued work stands in
    nobody's way here: what becomes of it is for its pool to say (`pools.standstill`).
    """

    __slots__ = ("_crew", "_future", "_loop", "_work", "owner")

    def __init__(self, crew: Carriers, work: Begun, future: Ended, owner: Owner | None = None) -> None:
        self._crew = crew
        self._work = work
        self._future = future
        self.owner: Owner = get_ident() if owner is None else owner
        self._loop = running_loop() if owner is None else None  # a thread that waits stops the loop it runs

    def __enter__(self) -> None:
        if SETTINGS.level == "named":
            return
        WAITS.begin(self, self._need, self._loop)
        if not self._work.running():
            return  # whoever begins it from now on finds this wait when it comes to wait itself
        try:
            WAITS.refuse_deadlock(self, self._loop)
        except BaseException:
            WAITS.end(self, self._loop)
            raise

    def __exit__(self, *_: object) -> None:
        WAITS.end(self, self._loop)

    def is_decided(self) -> bool:
        """See `observe.waits.Waiting`."""
        return self._future.done()

    def _need(self) -> OwnerNeed | None:
        ident = self._crew.carrier_of(self._work)
        return None if ident is None else Need(f"pool {self._crew.name}", (ident,), 1, None)
