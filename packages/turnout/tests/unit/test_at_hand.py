from __future__ import annotations

from turnout.query.line import AHEAD_AT_MOST, AtHand


def seats_after(took_s: float, times: int = 200) -> int:
    limit = AtHand(threads=2)
    for _ in range(times):
        limit.ran(took_s)
    return limit.seats


def test_slow_statements_have_one_ahead_of_each_thread() -> None:
    assert seats_after(0.5) == seats_after(0.04) == 4


def test_quick_statements_have_so_many_ahead_that_a_busy_loop_leaves_no_thread_idle() -> None:
    assert seats_after(0.005) == 2 * (1 + 6)
    assert seats_after(0.0) == seats_after(0.001) == 2 * (1 + AHEAD_AT_MOST)


def test_one_slow_statement_among_quick_ones_changes_little() -> None:
    limit = AtHand(threads=2)
    for _ in range(200):
        limit.ran(0.001)
    limit.ran(0.02)
    assert limit.seats == 2 * (1 + AHEAD_AT_MOST)
