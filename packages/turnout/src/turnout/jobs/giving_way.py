"""How work in the background gives way: it rests while people or programs are waiting, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from seawall import Gate, Stop
from seawall.clock import SYSTEM_CLOCK

LOOK_S = 0.1
"""So often it looks whether the others are served."""

MOST_S = 5.0
"""For so long one piece of work waits for the others: under a crowd that never ends it goes on slowly, piece by piece, or
what is put off would grow for ever."""


class Bustle(Protocol):
    """Says whether anybody else has need of the machine."""

    def is_busy(self) -> bool:
        """Whether somebody waits, or the next one would have to. Does not block."""
        ...


class BustleAtGates:
    """The bustle at gates: somebody stands at one as any but a *background* workload, or would have to."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self._works = [
            (gate, work.name)
            for gate in gates
            for work in gate.workloads
            if work.priority != "background" and not work.exempt
        ]

    def is_busy(self) -> bool:
        """See `Bustle.is_busy`."""
        return any((found := gate.capacity(name)).waiting or not found.spare_seats for gate, name in self._works)


class Nobody:
    """No bustle ever: for a store without a server."""

    def is_busy(self) -> bool:
        """Never."""
        return False


def give_way(bustle: Bustle, stop: Stop, most_s: float = MOST_S) -> float:
    """Rest while there is bustle, for at most `most_s` seconds or until `stop`; for how long. Blocks."""
    began_s = SYSTEM_CLOCK.monotonic()
    while bustle.is_busy() and (rested_s := SYSTEM_CLOCK.monotonic() - began_s) < most_s:
        if stop.wait(timeout_s=min(LOOK_S, most_s - rested_s)):
            break
    return SYSTEM_CLOCK.monotonic() - began_s


async def give_way_async(bustle: Bustle, most_s: float = MOST_S) -> None:
    """As `give_way`, in a task."""
    until_s = SYSTEM_CLOCK.monotonic() + most_s
    while bustle.is_busy() and SYSTEM_CLOCK.monotonic() < until_s:  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(LOOK_S)
