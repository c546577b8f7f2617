"""The scripted scheduler finds races, finds them again from their token, and tells a hang."""

import re

import pytest

from seawall.runtime import threads
from seawall.testing.interleavings import Hang, Interleaving, explore, replay


def lost_update(run: Interleaving):
    counter = [0]
    guard = threads.RawLock()

    def count() -> None:
        with guard:
            value = counter[0]
        with guard:  # somebody else may have been here in between
            counter[0] = value + 1

    run.thread(count)
    run.thread(count)

    def check() -> None:
        assert counter[0] == 2

    return check


def opposite_orders(run: Interleaving):
    first, second = threads.RawLock(), threads.RawLock()

    def one() -> None:
        with first, second:
            pass

    def other() -> None:
        with second, first:
            pass

    run.thread(one, "one")
    run.thread(other, "other")


def token_in(error: BaseException) -> str:
    found = re.search(r"token '([^']*)'", error.__notes__[0])
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("scenario", "error"), [(lost_update, AssertionError), (opposite_orders, Hang)])
def test_a_race_is_found_and_found_again_from_its_token(scenario, error) -> None:
    with pytest.raises(error) as caught:
        explore(scenario, runs=200)
    token = token_in(caught.value)
    for _ in range(3):
        with pytest.raises(error):
            replay(scenario, token)
    replay(scenario, "")  # one after the other nothing goes wrong


def test_a_hang_names_who_waits_and_where() -> None:
    with pytest.raises(Hang, match=r"one at .*test_scheduler.py:\d+ in one; other at .*test_scheduler.py:\d+ in other"):
        explore(opposite_orders, runs=200)


def test_a_pinned_schedule_fails_as_it_did_when_it_was_found() -> None:
    with pytest.raises(AssertionError):
        replay(lost_update, "3.1")


def test_what_is_made_after_a_run_is_the_operating_systems_again() -> None:
    replay(lost_update, "")
    assert type(threads.RawLock()).__module__ == "_thread"
