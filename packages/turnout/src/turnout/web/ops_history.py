"""The last hour of operations, in memory: one number for each thing, every quarter of a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from seawall import Stop
from seawall.console.reading import Reading

STEP_S = 15.0
STEPS = 240


class OpsHistory:
    """Give `run` to a `seawall.Worker`. Reading is for any thread: lists are replaced whole."""

    def __init__(self, read: Callable[[], Sequence[Reading]]) -> None:
        self._read = read
        self._loads: dict[tuple[str, str], deque[float]] = {}

    def run(self, stop: Stop) -> None:
        """Takes a reading every quarter of a minute until stopped."""
        while not stop.wait(timeout_s=STEP_S):
            self.take()

    def take(self) -> None:
        """Takes one reading. What is no longer there is forgotten."""
        fresh: dict[tuple[str, str], deque[float]] = {}
        for one in self._read():
            key = (one.kind, one.name)
            fresh[key] = deque([*self._loads.get(key, ()), one.load], maxlen=STEPS)
        self._loads = fresh

    def loads(self) -> Mapping[tuple[str, str], Sequence[float]]:
        """The loads of each thing, the oldest first."""
        return self._loads
