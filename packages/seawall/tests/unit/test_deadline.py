import pytest

from seawall import deadline, remaining_s
from seawall.runtime.deadline import wait_limit_s


def test_the_earliest_of_nested_deadlines_holds_and_leaving_restores_the_outer() -> None:
    assert remaining_s() is None
    with deadline(60):
        with deadline(3600):
            assert (remaining_s() or 0) <= 60
        with deadline(1):
            assert (remaining_s() or 0) <= 1
        with deadline(None):
            assert 1 < (remaining_s() or 0) <= 60
    assert remaining_s() is None


@pytest.mark.parametrize(("timeout_s", "expected"), [(None, None), (5.0, 5.0), (0.0, 0.0), (-1.0, 0.0)])
def test_without_a_deadline_the_timeout_alone_limits_a_wait(timeout_s, expected) -> None:
    assert wait_limit_s(timeout_s) == expected


def test_a_deadline_that_has_passed_leaves_no_wait_at_all() -> None:
    with deadline(-1):
        assert wait_limit_s(None) == 0.0
        assert wait_limit_s(10) == 0.0
