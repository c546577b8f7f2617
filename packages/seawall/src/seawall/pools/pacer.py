"""The one thread that looks at pools under pressure, and measures by its own wake-ups whether the GIL is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall.clock import SYSTEM_CLOCK
from seawall.core.sizing import LOOK_EVERY_S, Lateness, Machine, late_from_s
from seawall.runtime.park import Parker
from seawall.runtime.probe import cores, cpu_s, switch_interval_s
from seawall.runtime.threads import RawRLock, spawn_beside

if TYPE_CHECKING:
    from seawall.pools.crew import Crew

LINGERS_S = 2.0
"""How long the thread outlasts the last pool under pressure, so that a pulsing load does not start one each time."""


class Pacer:
    """Looks at each crew that has work waiting, a hundred times a second, and at none otherwise."""

    def __init__(self) -> None:
        self._guard = RawRLock()  # re-entrant: see Crew
        self._crews: dict[Crew, None] = {}  # guarded by self._guard
        self._is_running = False  # guarded by self._guard
        self._parker = Parker()
        self._probe = Parker()  # one that nobody wakes: a wake-up by another crew would cut the probe short
        self._cores = cores()

    def watch(self, crew: Crew) -> None:
        """Look at `crew` until its queue is empty."""
        with self._guard:
            self._crews[crew] = None
            starts = not self._is_running
            self._is_running = True
        if not starts:
            self._parker.unpark()
            return
        try:
            spawn_beside("seawall-pacer", self._run)
        except RuntimeError:  # no more threads: pools stay as they are; the next to watch tries again
            with self._guard:
                self._is_running = False

    def _run(self) -> None:
        lateness = Lateness()
        while True:
            with self._guard:
                crews = list(self._crews)
            if not crews:
                if not self._parker.park(LINGERS_S) and self._ends():
                    return
                lateness = Lateness()
                continue
            before_s, cpu_before_s = SYSTEM_CLOCK.monotonic(), cpu_s()
            self._probe.park(LOOK_EVERY_S)
            now_s = SYSTEM_CLOCK.monotonic()
            machine = Machine(
                lateness_s=lateness.add(max(0.0, now_s - before_s - LOOK_EVERY_S)),
                late_from_s=late_from_s(switch_interval_s()),
                cpu_share=(cpu_s() - cpu_before_s) / max(now_s - before_s, 1e-9) / self._cores,
            )
            for crew in crews:
                crew.look(now_s, machine)
                if not crew.queue:
                    self._let_be(crew)

    def _let_be(self, crew: Crew) -> None:
        with self._guard:
            self._crews.pop(crew, None)
        crew.is_watched = False
        if crew.queue:  # queued after our look, by someone who believed it still watched
            crew.have_watched()

    def _ends(self) -> bool:
        with self._guard:
            if self._crews:
                return False
            self._is_running = False
            return True


PACER = Pacer()
"""The pacer of this process."""
