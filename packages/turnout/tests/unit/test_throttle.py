from __future__ import annotations

import pytest

from seawall.testing import ManualClock
from turnout.credentials.throttle import CAPACITY, Throttle
from turnout.errors import TooManyAttempts


def test_the_wait_is_until_the_oldest_failure_is_forgotten() -> None:
    clock = ManualClock()
    throttle = Throttle(clock, most=2, window_s=100)
    throttle.take("ada")
    clock.advance(40)
    throttle.take("ada")
    with pytest.raises(TooManyAttempts) as error:
        throttle.take("ada")
    assert error.value.retry_after_s == pytest.approx(60)
    throttle.take("bob")
    clock.advance(60)
    throttle.take("ada")


def test_an_attempt_given_back_is_none() -> None:
    throttle = Throttle(ManualClock(), most=1, window_s=100)
    for _ in range(5):
        throttle.take("ada")
        throttle.give_back("ada")
    throttle.give_back("nobody")
    throttle.take("ada")
    with pytest.raises(TooManyAttempts):
        throttle.take("ada")


def test_it_remembers_no_more_names_than_it_may() -> None:
    throttle = Throttle(ManualClock(), most=1, window_s=100)
    for number in range(CAPACITY + 10):
        throttle.take(str(number))
    assert len(throttle._attempts) == CAPACITY
