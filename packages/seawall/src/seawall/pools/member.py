"""One thread of a pool: takes work, carries it out, and ends when there are too many of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from seawall.clock import SYSTEM_CLOCK
from seawall.runtime.blocking import BLOCKABLES
from seawall.runtime.park import Parker
from seawall.runtime.who import get_ident

if TYPE_CHECKING:
    from seawall.pools.crew import Crew
    from seawall.pools.work import Work

IDLE_S = 10.0
"""A thread above `min_threads` that had nothing to do for so long ends."""


class Member:
    """A thread of `crew`. All attributes are written by that thread alone."""

    __slots__ = (
        "begun_total",
        "blocked_since_s",
        "crew",
        "depth",
        "ident",
        "is_spare",
        "name",
        "parker",
        "waits_for",
        "work",
    )

    def __init__(self, crew: Crew, name: str, is_spare: bool) -> None:
        self.crew = crew
        self.name = name
        self.is_spare = is_spare
        self.ident = 0
        self.parker = Parker()
        self.work: Work | None = None
        self.waits_for: Work | None = None
        self.blocked_since_s: float | None = None
        self.depth = 0
        self.begun_total = 0

    def blocks(self) -> None:
        """See `runtime.blocking.Blockable`."""
        self.blocked_since_s = SYSTEM_CLOCK.monotonic()
        self.crew.one_blocks()

    def resumes(self) -> None:
        """See `runtime.blocking.Blockable`."""
        self.blocked_since_s = None

    def run(self) -> None:
        """The thread."""
        self.ident = get_ident()
        BLOCKABLES[self.ident] = self
        try:
            if self.is_spare:
                self._help_out()
            else:
                self._serve()
        finally:
            del BLOCKABLES[self.ident]

    def _serve(self) -> None:
        crew = self.crew
        queue, urgent, idle = crew.queue, crew.urgent, crew.idle
        while True:
            if (urgent or queue) and crew.count <= crew.allowed:
                self._take_one(urgent or queue)
            elif crew.count > crew.allowed or (crew.is_closed and not queue):
                if crew.lets_go(self):
                    return
            else:
                idle.append(self)
                # Whoever queues looks at `idle` afterwards, and whoever closes or shrinks too; so we look at their
                # side again after we have joined it.
                if urgent or queue or crew.is_closed or crew.count > crew.allowed:
                    self._leave_idle()
                elif not self.parker.park(IDLE_S) and self._leave_idle() and crew.retires(self):
                    return

    def _help_out(self) -> None:
        # Only for as long as the others stand still.
        while self.crew.queue and self.crew.stands_still(but=self):
            self._take_one(self.crew.queue)
        self.crew.lets_spare_go(self)

    def _take_one(self, queue: deque[Work]) -> None:
        try:
            work = queue.popleft()
        except IndexError:
            return
        self.begun_total += 1
        self.work = work
        work.carry_out()
        self.work = None

    def _leave_idle(self) -> bool:
        try:
            self.crew.idle.remove(self)
        except ValueError:
            self.parker.park(None)  # someone took us out and wakes us: take that wake-up in, or it would count later
            return False
        return True
