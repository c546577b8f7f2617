"""How many a second, of late."""

from __future__ import annotations

from collections import deque


class RecentRate:
    """Counts by the second over the last `window_s`; for one thread at a time."""

    __slots__ = ("_counts", "_window_s")

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self._counts: deque[tuple[int, int]] = deque()

    def add(self, now_s: float, count: int = 1) -> None:
        """Note `count` at `now_s`, by a clock that never goes back."""
        second = int(now_s)
        if self._counts and self._counts[-1][0] == second:
            count += self._counts.pop()[1]
        self._counts.append((second, count))
        self._forget(now_s)

    def per_s(self, now_s: float) -> float | None:
        """So many a second since the first of those counted; None where there was none within the window."""
        self._forget(now_s)
        if not self._counts:
            return None
        return sum(count for _, count in self._counts) / max(1.0, now_s - self._counts[0][0])

    def _forget(self, now_s: float) -> None:
        while self._counts and now_s - self._counts[0][0] > self._window_s:
            self._counts.popleft()
