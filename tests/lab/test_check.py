"""The service's own load test: what a run has to keep, and what it says of one that does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.launch_day import check
from lab.launch_day.requests import Tally
from lab.launch_day.run import Result

FINE = Result(
    offered_per_s=10,
    goodput_per_s=10,
    tally=Tally(100, 97, 1, 2, 0, 0, 0, p50_ms=20, p99_ms=90, lateness_p99_ms=1),
    recovery_s=0.2,
    watched_s=10,
    backlog=0,
    counted_views=90,
    served_views=90,
    lost_updates=0,
    database_deadlocks=0,
    memory_deadlocks=0,
    pool_timeouts=0,
    dropped=0,
)


def test_a_run_in_which_all_went_well_breaks_no_promise() -> None:
    assert check.broken(FINE) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"tally": replace(FINE.tally, good=94, refused=5)}, "95 % are served right and in time: 94.0%"),
        ({"tally": replace(FINE.tally, good=96, refused=0, slow=0, timeouts=3, errors=1)}, "99 % get an answer"),
        ({"lost_updates": 1}, "no view that was answered is lost: 1 of 90"),
        ({"database_deadlocks": 1}, "no deadlock: 1"),
        ({"memory_deadlocks": 1}, "no deadlock: 1"),
        ({"recovery_s": 2.1}, "back within 2 s when the crowd has gone: 2.1 s"),
        ({"recovery_s": None}, "back within 2 s when the crowd has gone: > 10 s"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_each_promise_is_broken_by_what_it_is_about_and_by_nothing_else(changed: dict[str, Any], told: str) -> None:
    result = replace(FINE, **changed)
    (promise,) = check.broken(result)
    assert f"{promise.words}: {promise.shown(result)}".startswith(told)


@pytest.mark.parametrize(("arguments", "told"), [(["--rate", "0"], "above 0"), (["--step", "9"], "invalid choice")])
def test_bad_arguments_are_named(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check.main(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({}, 0, "kept    no deadlock: 0"),
        ({"lost_updates": 3}, 1, "broken  no view"),
        ({"void_reason": "late"}, 3, "void: late"),
    ],
    ids=["kept", "broken", "void"],
)
def test_the_exit_status_says_whether_the_promises_were_kept(
    changed: dict[str, Any], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.verdict(replace(FINE, **changed)) == status
    assert told in capsys.readouterr().out
