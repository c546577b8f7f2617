from __future__ import annotations

from seawall.testing import ManualClock
from turnout.query.recent import SHARED_S, RecentReader


class Store:
    """A store whose data change all the time."""

    def __init__(self) -> None:
        self.position = 0

    def version(self) -> int:
        self.position += 1
        return self.position


def test_alone_one_sees_the_newest_and_a_crowd_shares_for_a_second() -> None:
    clock, is_busy = ManualClock(), [False]
    reader = RecentReader(Store(), clock, lambda: is_busy[0])  # type: ignore[arg-type]
    assert [reader.version(), reader.version()] == [1, 2]
    is_busy[0] = True
    assert [reader.version(), reader.version()] == [2, 2]
    clock.advance(SHARED_S)
    assert reader.version() == 2
    clock.advance(0.01)
    assert [reader.version(), reader.version()] == [3, 3]
    is_busy[0] = False
    assert reader.version() == 4
