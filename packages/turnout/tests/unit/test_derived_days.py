"""Runs of derived days, and the ledger that says which days are derived and which are next."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from seawall.testing import ManualClock
from turnout.model.derived import MOST_RUNS, NOTHING_DERIVED, Derived, runs_of
from turnout.model.query import Days
from turnout.store.ledger import MOST_EVENTS, DayLedger, Group

EPOCH = date(1970, 1, 1)
NOBODY_ELSE = EPOCH


def day(number: int) -> date:
    return EPOCH + timedelta(days=number)


def span(first: int, last: int) -> Days:
    return Days(day(first), day(last))


def group(first: int, last: int, site: int = 1) -> Group:
    return Group(site, day(first), day(last))


def test_a_range_splits_into_derived_runs_and_the_days_between_them() -> None:
    derived = runs_of({day(number): 10 for number in (12, 7, 4, 3)})
    assert derived == Derived((span(3, 4), span(7, 7), span(12, 12)), 10)
    assert derived.split(span(1, 12)) == (derived.runs, (span(1, 2), span(5, 6), span(8, 11)))
    assert derived.split(span(4, 7)) == ((span(4, 4), span(7, 7)), (span(5, 6),))
    assert derived.split(span(8, 11)) == ((), (span(8, 11),))
    assert derived.split(span(3, 4)) == ((span(3, 4),), ())
    assert NOTHING_DERIVED.split(span(3, 4)) == ((), (span(3, 4),))


def test_a_range_is_split_into_few_parts_of_which_the_longest_are_derived() -> None:
    days = [*range(0, 100, 2), *range(40, 50)]
    derived, raw = runs_of({day(number): 0 for number in days}).split(span(0, 99))
    assert len(derived) == MOST_RUNS
    assert span(40, 50) in derived
    covered = [each for run in sorted([*derived, *raw], key=lambda run: run.first) for each in (run.first, run.last)]
    assert covered[0] == day(0)
    assert covered[-1] == day(99)
    assert all(
        later - earlier == timedelta(days=1) for earlier, later in zip(covered[1::2], covered[2::2], strict=False)
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(clock: ManualClock) -> DayLedger:
    return DayLedger(clock)


def touch(ledger: DayLedger, *days: int, site: int = 1, events: int = 1) -> list[tuple[int, int]]:
    """An append that commits."""
    with ledger.mutex:
        marks = ledger.touch({(site, number): events for number in days})
        ledger.settle()
    return marks


def derive(ledger: DayLedger, first: int, last: int) -> bool:
    ledger.watch(group(first, last))
    return ledger.finish(group(first, last), dict.fromkeys(range(first, last + 1), 10), lambda: None)


def test_a_day_is_next_once_a_later_day_has_events_and_it_was_left_alone(ledger: DayLedger, clock: ManualClock) -> None:
    touch(ledger, 10)
    clock.advance(100)
    assert ledger.next_group(NOBODY_ELSE, 60) is None
    touch(ledger, 11)
    assert ledger.next_group(NOBODY_ELSE, 60) == group(10, 10)
    touch(ledger, 10)
    assert ledger.next_group(NOBODY_ELSE, 60) is None
    clock.advance(60)
    assert ledger.next_group(NOBODY_ELSE, 60) == group(10, 10)


def test_a_day_that_is_over_everywhere_needs_no_later_event(ledger: DayLedger) -> None:
    touch(ledger, 10)
    assert ledger.next_group(day(10), 0) is None
    assert ledger.next_group(day(11), 0) == group(10, 10)


def test_a_group_is_of_days_in_a_row_and_of_bounded_size(ledger: DayLedger) -> None:
    touch(ledger, 1, 2, 3, 4, events=MOST_EVENTS // 2)
    touch(ledger, 5)
    assert ledger.next_group(NOBODY_ELSE, 0) == group(3, 4)
    assert derive(ledger, 3, 4)
    assert ledger.next_group(NOBODY_ELSE, 0) == group(1, 2)
    assert derive(ledger, 1, 2)
    assert ledger.next_group(NOBODY_ELSE, 0) is None
    assert ledger.derived(1) == Derived((span(1, 4),), 10)


def test_a_day_of_any_size_is_a_group_by_itself(ledger: DayLedger) -> None:
    touch(ledger, 1, 2, 3, events=10 * MOST_EVENTS)
    assert ledger.next_group(NOBODY_ELSE, 0) == group(2, 2)


def test_empty_days_beside_derived_ones_are_derived_with_their_neighbours(ledger: DayLedger) -> None:
    touch(ledger, 3, 20)
    derive(ledger, 3, 3)
    assert ledger.next_group(day(21), 0) == group(4, 20)
    derive(ledger, 4, 20)
    assert ledger.derived(1) == Derived((span(3, 20),), 10)
    touch(ledger, 7, 11, 30)
    assert ledger.next_group(NOBODY_ELSE, 0) == group(11, 11)


def test_a_touched_day_is_derived_no_longer_and_loses_its_mark_with_the_append(ledger: DayLedger) -> None:
    touch(ledger, 1, 2, 3)
    derive(ledger, 1, 3)
    assert touch(ledger, 2, 9) == [(1, 2)]
    assert ledger.derived(1) == Derived((span(1, 1), span(3, 3)), 10)
    assert touch(ledger, 2) == []
    assert ledger.next_group(NOBODY_ELSE, 0) == group(2, 2)


def test_a_mark_is_taken_away_by_the_next_append_where_one_failed(ledger: DayLedger) -> None:
    touch(ledger, 1)
    derive(ledger, 1, 1)
    with ledger.mutex:
        assert ledger.touch({(1, 1): 1}) == [(1, 1)]  # and no settle: the transaction failed
    assert ledger.derived(1) == NOTHING_DERIVED
    assert touch(ledger, 5) == [(1, 1)]
    assert touch(ledger, 5) == []


def test_days_that_are_touched_while_they_are_read_are_not_committed(ledger: DayLedger) -> None:
    touch(ledger, 1, 2)
    ledger.watch(group(1, 1))
    touch(ledger, 2)
    assert ledger.finish(group(1, 1), {1: 1}, lambda: None)
    ledger.watch(group(2, 2))
    touch(ledger, 2)
    assert not ledger.finish(group(2, 2), {2: 1}, lambda: pytest.fail("committed what is out of date"))
    assert ledger.derived(1) == Derived((span(1, 1),), 1)


def test_a_commit_that_failed_may_have_left_marks_which_the_next_append_takes_away(ledger: DayLedger) -> None:
    def commit() -> None:
        raise OSError("no room")

    touch(ledger, 1)
    ledger.watch(group(1, 1))
    with pytest.raises(OSError, match="no room"):
        ledger.finish(group(1, 1), {1: 1}, commit)
    assert ledger.derived(1) == NOTHING_DERIVED
    assert touch(ledger, 7) == [(1, 1)]


def test_what_was_postponed_lets_others_come_first(ledger: DayLedger, clock: ManualClock) -> None:
    touch(ledger, 1, 2)
    touch(ledger, 1, 2, site=2)
    clock.advance(60)
    ledger.postpone(group(1, 1))
    assert ledger.next_group(NOBODY_ELSE, 60) == group(1, 1, site=2)


def test_marks_are_taken_over_when_the_store_is_opened(ledger: DayLedger) -> None:
    ledger.reload([(1, 4, 10), (1, 5, 30), (2, 7, 1)])
    ledger.found([(1, 4, 10), (1, 6, 10), (1, 7, 10)])
    assert ledger.derived(1) == Derived((span(4, 5),), 20)
    assert ledger.next_group(NOBODY_ELSE, 0) == group(6, 6)
    assert ledger.waiting_days(NOBODY_ELSE) == 1
    ledger.reload([])
    assert ledger.derived(1) == NOTHING_DERIVED
