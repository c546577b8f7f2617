"""What Seawall finds in this process (deadlocks, inverted orders, long holds, stalled loops …), written to the log."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict

from seawall import Stop
from seawall.clock import Clock
from seawall.core.statistics import Found
from seawall.observe.events import Event, described

_LOG = logging.getLogger("turnout.findings")

WINDOW_S = 60.0
PER_WINDOW = 6
"""Lines of one kind a minute. A stuck lock is told again and again; the counts in `/metrics` are whole."""
KEPT = 100


class FindingsLog:
    """`note` is Seawall's observer, called wherever something is found: it only keeps. `run`, for a `Worker`, writes.

    At most `PER_WINDOW` lines of each kind in `WINDOW_S` seconds; how many were left out is said after it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: deque[tuple[float, Event]] = deque(maxlen=KEPT)
        self._since_s = clock.monotonic()  # the worker's, as are the next two
        self._written: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self.on_note: Callable[[], object] = lambda: None

    def note(self, event: Event) -> None:
        """Keeps it for the log. Does not block; whoever calls may hold locks. Of more than 100 at once the last count."""
        self._noted.append((self._clock.time(), event))
        self.on_note()

    def run(self, stop: Stop) -> None:
        """Writes what is noted, at once when woken, until stopped."""
        while not stop.wait(timeout_s=WINDOW_S):
            self.write()
        self.write()

    def write(self) -> None:
        """Writes what was noted since the last time, as far as that is not too much."""
        now_s = self._clock.monotonic()
        if now_s - self._since_s >= WINDOW_S:
            for kind, count in self._left_out.items():
                _LOG.warning("%d more of %s were not logged", count, kind, extra={"data": {kind: count}})
            self._since_s = now_s
            self._written.clear()
            self._left_out.clear()
        while self._noted:
            at_s, event = self._noted.popleft()
            found = described(event, at_s)
            kind = found.kind.replace(" ", "_")
            if self._written[kind] < PER_WINDOW:
                self._written[kind] += 1
                _LOG.warning("%s", _words(found), extra={"data": {"event": kind, **asdict(event)}})
            else:
                self._left_out[kind] += 1


def _words(found: Found) -> str:
    return f"{found.kind}: {found.told}" + "".join(_lines(who, stack) for who, stack in found.stacks)


def _lines(who: str, stack: tuple[str, ...]) -> str:
    return f"\n  {who} stands at" + "".join(f"\n    {line}" for line in stack)
