"""When a service is held to be back."""

from __future__ import annotations

import time

from lab.launch_day import recovery


def test_it_is_back_at_the_first_of_three_good_answers_in_a_row() -> None:
    answers = iter([True, False, True, True, True])
    seen = []

    def probe() -> bool:
        seen.append(next(answers))
        return seen[-1]

    assert recovery.watch(probe, ended_at=time.time(), watch_s=600) is not None
    assert len(seen) == 5


def test_what_is_not_back_while_it_is_watched_has_no_time() -> None:
    assert recovery.watch(lambda: False, ended_at=time.time() - 10, watch_s=5) is None
    assert recovery.watch(lambda: False, ended_at=time.time(), watch_s=0.3) is None
