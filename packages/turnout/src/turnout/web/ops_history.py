"""The last hour of operations, in memory: one number for each thing, every quarter of a minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from seawall import Snapshot, Stop
from seawall.console.reading import Reading, judge

STEP_S = 15.0
STEPS = 240

Refusals = Mapping[tuple[str, str], int]
"""How many were refused since the server began, by workload (`pages: dashboard`) and reason."""
Trail = Sequence[float]
"""A number for each step of the last hour, the oldest first."""


class LastHour(NamedTuple):
    """What is remembered. `refused` counts those of each step; `limited` has 1 for each step in which this limited."""

    loads: Mapping[tuple[str, str], Trail]
    refused: Mapping[tuple[str, str], Trail]
    limited: Mapping[tuple[str, str], Trail]


class OpsHistory:
    """Give `run` to a `seawall.Worker`. Reading is for any thread: what is remembered is replaced whole."""

    def __init__(self, look: Callable[[], Snapshot], read: Callable[[Snapshot], Sequence[Reading]]) -> None:
        self._look = look
        self._read = read
        self._totals: Refusals = {}
        self._hour = LastHour({}, {}, {})

    def run(self, stop: Stop) -> None:
        """Takes a reading every quarter of a minute until stopped."""
        while not stop.wait(timeout_s=STEP_S):
            self.take()

    def take(self) -> None:
        """Takes one reading. What is no longer there is forgotten, and so is what has not limited for an hour."""
        found, before = self._look(), self._hour
        readings = self._read(found)
        verdict = judge(readings)
        totals = refusals(found)
        loads = {(one.kind, one.name): one.load for one in readings}
        fresh = {key: total - self._totals.get(key, 0) for key, total in totals.items()}
        limits = {key: 0.0 for key, trail in before.limited.items() if any(trail[1 - STEPS :])}
        if verdict.limits is not None:
            limits[verdict.limits] = 1.0
        self._totals = totals
        self._hour = LastHour(
            _longer(before.loads, loads), _longer(before.refused, fresh), _longer(before.limited, limits)
        )

    def last_hour(self) -> LastHour:
        """All of it. Does not block."""
        return self._hour


def refusals(found: Snapshot) -> Refusals:
    """What gates have refused; in shadow, what they would have."""
    return {
        (f"{gate.name}: {work.name}", each.reason): each.total
        for gate in found.gates
        for work in gate.workloads
        for each in (*work.refused, *work.shed)
        if each.total
    }


def _longer(
    trails: Mapping[tuple[str, str], Trail], last: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], Trail]:
    return {key: [*trails.get(key, ()), value][-STEPS:] for key, value in last.items()}
