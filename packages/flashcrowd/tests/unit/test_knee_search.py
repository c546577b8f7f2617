"""Against model services: what goes through at a load is known, and so is where the promise breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashcrowd.verdict.knee import KneeSearch

Service = Callable[[float], tuple[float, bool]]


def saturating(capacity_per_s: float) -> Service:
    """Does what it can and no more; slow from there on."""
    return lambda offered_per_s: (min(offered_per_s, capacity_per_s), offered_per_s <= capacity_per_s)


def collapsing(capacity_per_s: float) -> Service:
    """Does ever less beyond what it can."""
    return lambda offered_per_s: (
        offered_per_s if offered_per_s <= capacity_per_s else capacity_per_s**2 / offered_per_s,
        offered_per_s <= capacity_per_s,
    )


def slow_before_full(promise_per_s: float, capacity_per_s: float) -> Service:
    """Breaks the promise before it is full."""
    return lambda offered_per_s: (min(offered_per_s, capacity_per_s), offered_per_s <= promise_per_s)


def searched(service: Service, **how: float) -> KneeSearch:
    search = KneeSearch(**how)  # type: ignore[arg-type]
    while (load_per_s := search.next_load_per_s()) is not None:
        goodput_per_s, promise_held = service(load_per_s)
        search.tell(load_per_s, goodput_per_s, promise_held=promise_held)
    return search


@given(st.floats(1.0, 50_000.0))
def test_it_finds_the_capacity_to_its_tolerance_from_below(capacity_per_s: float) -> None:
    search = searched(saturating(capacity_per_s))
    assert search.holds_per_s is not None
    # Of what is behind by less than a twentieth nobody could tell that it is behind.
    assert capacity_per_s / 1.1 <= search.holds_per_s <= capacity_per_s
    assert search.peak_per_s >= capacity_per_s / 1.1
    assert len(search.tried) <= 20


@given(st.floats(20.0, 5_000.0))
def test_a_target_that_collapses_is_not_driven_on(capacity_per_s: float) -> None:
    search = searched(collapsing(capacity_per_s))
    assert search.holds_per_s == pytest.approx(capacity_per_s, rel=0.1)
    assert max(one.offered_per_s for one in search.tried) <= 4 * capacity_per_s


def test_where_goodput_still_rises_beyond_the_promise_the_peak_is_looked_for() -> None:
    search = searched(slow_before_full(150, 600))
    assert search.holds_per_s == pytest.approx(150, rel=0.1)
    assert search.peak_per_s == 600


def test_it_goes_down_where_the_first_load_is_too_much_already() -> None:
    search = searched(saturating(3.0), start_per_s=100.0)
    assert search.holds_per_s == pytest.approx(3.0, rel=0.1)


def test_where_nothing_holds_it_says_so_and_ends() -> None:
    search = searched(lambda offered_per_s: (0.0, False))
    assert search.holds_per_s is None
    assert search.peak_per_s == 0


def test_it_stops_at_the_highest_load_that_it_may_offer() -> None:
    search = searched(saturating(1e9), max_per_s=700.0)
    assert search.holds_per_s == 700
    assert [one.offered_per_s for one in search.tried] == [10, 20, 40, 80, 160, 320, 640, 700]


def test_what_holds_above_a_load_that_did_not_hold_does_not_count() -> None:
    search = KneeSearch()
    search.tell(10, 10, promise_held=True)
    search.tell(20, 20, promise_held=False)
    search.tell(40, 40, promise_held=True)
    assert search.holds_per_s == 10


@pytest.mark.parametrize("wrong", [{"start_per_s": 0.0}, {"factor": 1.0}, {"tolerance": 0.0}, {"max_levels": 0}])
def test_a_search_that_could_not_end_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="knee search"):
        KneeSearch(**wrong)  # type: ignore[arg-type]
