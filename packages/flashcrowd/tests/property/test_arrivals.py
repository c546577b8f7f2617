from __future__ import annotations

from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from flashcrowd.arrivals import pieces
from flashcrowd.arrivals.constant import Constant
from flashcrowd.arrivals.ramp import Ramp

rates = st.floats(0, 500)
lengths = st.floats(0.1, 10)


@given(st.lists(st.tuples(rates, lengths), max_size=6))
def test_pieces_ascend_and_number_the_area_under_the_rate(parts: list[tuple[float, float]]) -> None:
    instants = list(pieces.instants(parts))
    area = sum(rate * seconds for rate, seconds in parts)
    assert instants == sorted(instants)
    assert floor(area - 1e-3) <= len(instants) <= ceil(area + 1e-3)
    assert all(0 <= at <= sum(seconds for _, seconds in parts) for at in instants)


@given(st.floats(0.1, 500), lengths)
def test_one_piece_is_a_constant_rate(rate: float, seconds: float) -> None:
    one = list(pieces.instants([(rate, seconds)]))
    other = list(Constant(rate, seconds).instants())
    assert abs(len(one) - len(other)) <= 1
    assert all(abs(a - b) < 1e-6 for a, b in zip(one, other, strict=False))


@given(rates, rates, lengths)
def test_a_ramp_ascends_and_numbers_the_area_under_it(first: float, last: float, seconds: float) -> None:
    if first == last or not (first > 0.01 or last > 0.01):
        return
    instants = list(Ramp(first, last, seconds).instants())
    assert instants == sorted(instants)
    area = (first + last) / 2 * seconds
    assert floor(area - 1e-3) <= len(instants) <= ceil(area + 1e-3)
