"""Of those whom a waiting room calls, what part comes, and how soon: as the room has seen it of late."""

from __future__ import annotations

LIKELY_S = 2.0
"""Who was called is expected for so long: two looks of those at the front. Some come later."""

COMES_S = 1.0
"""How long one who is called takes to come, until that is measured: half a look of those at the front, and some."""

FEWEST_COME = 0.05
"""One of so many who are called is taken to come at the least: of robots, twenty times as many are called."""

SEEN = 10
"""So many calls that all came, within `COMES_S`, are taken to have been seen before the first."""

WINDOW_S = 30
"""Of the calls of so many seconds it is known what became of them."""


class Coming:
    """Calls by the second in which they were made, once it is known who came. For one thread at a time."""

    def __init__(self) -> None:
        self._seconds: dict[int, list[float]] = {}  # called, came, seconds that they took together

    def called(self, now_s: float, count: int) -> None:
        """Note `count` calls."""
        second = self._seconds.setdefault(int(now_s), [0, 0, 0.0])
        second[0] += count
        while (first := next(iter(self._seconds))) < now_s - LIKELY_S - WINDOW_S:
            del self._seconds[first]

    def came(self, now_s: float, called_s: float) -> None:
        """One that was called at `called_s` has come."""
        second = self._seconds.get(int(called_s))
        if second is not None and now_s - called_s <= LIKELY_S:
            second[1] += 1
            second[2] += now_s - called_s

    def part(self, now_s: float) -> float:
        """What part of those called comes while it is expected; from `FEWEST_COME` to 1."""
        known = [second for at_s, second in self._seconds.items() if at_s + 1 <= now_s - LIKELY_S]
        return max(FEWEST_COME, (SEEN + sum(one[1] for one in known)) / (SEEN + sum(one[0] for one in known)))

    def after_s(self) -> float:
        """How long those who come take, on average."""
        known = self._seconds.values()
        return (SEEN * COMES_S + sum(one[2] for one in known)) / (SEEN + sum(one[1] for one in known))
