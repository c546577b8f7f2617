from __future__ import annotations

from seawall.testing import ManualClock
from turnout.query.recent import SHARED_IN_A_CROWD_S, SHARED_S, RecentReader, SharedFor


class Store:
    """A store whose data change all the time."""

    def __init__(self) -> None:
        self.position = 0

    def version(self) -> int:
        self.position += 1
        return self.position


def test_alone_one_sees_the_newest_and_a_crowd_shares_for_a_second() -> None:
    clock, shared_s = ManualClock(), [0.0]
    reader = RecentReader(Store(), clock, lambda: shared_s[0])  # type: ignore[arg-type]
    assert [reader.version(), reader.version()] == [1, 2]
    shared_s[0] = SHARED_S
    assert [reader.version(), reader.version()] == [2, 2]
    clock.advance(SHARED_S)
    assert reader.version() == 2
    clock.advance(0.01)
    assert [reader.version(), reader.version()] == [3, 3]
    shared_s[0] = 0.0
    assert reader.version() == 4


def test_what_is_shared_gets_older_while_the_crowd_waits() -> None:
    clock, shared_s = ManualClock(), [SHARED_S]
    reader = RecentReader(Store(), clock, lambda: shared_s[0])  # type: ignore[arg-type]
    assert reader.version() == 1
    clock.advance(SHARED_S + 1)
    shared_s[0] = SHARED_IN_A_CROWD_S
    assert reader.version() == 1
    shared_s[0] = SHARED_S
    assert reader.version() == 2


def test_it_stays_a_crowd_for_as_long_as_answers_are_shared_in_one() -> None:
    clock, waiting, busy = ManualClock(), [False], [False]
    shared_s = SharedFor(clock, is_crowd=lambda: waiting[0], is_busy=lambda: busy[0])
    assert shared_s() == 0.0
    busy[0] = True
    assert shared_s() == SHARED_S
    waiting[0] = True
    assert shared_s() == SHARED_IN_A_CROWD_S
    waiting[0] = busy[0] = False
    clock.advance(SHARED_IN_A_CROWD_S - 0.01)
    assert shared_s() == SHARED_IN_A_CROWD_S
    clock.advance(0.02)
    assert shared_s() == 0.0
