"""A part of the confusion matrix, which `python -m known_bottlenecks` prints whole: four services, one seed each."""

from __future__ import annotations

import pytest
from known_bottlenecks.judge import Judged, judge
from known_bottlenecks.record import record

TRIES = 3
"""On a machine that is short of cores for seconds, what limits then is the machine. Nobody is right about that."""


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("lock_threads", 1),
        ("connection_pool", 2),
        ("event_loop", 5),
        ("healthy_busy", 1),
    ],
)
def test_what_is_planted_is_named_and_a_healthy_service_is_left_in_peace(name: str, seed: int) -> None:
    judged: list[Judged] = []
    while not judged or (judged[-1].judgement != "right" and len(judged) < TRIES):
        judged.append(judge(record(name, seed)))
    assert judged[-1].judgement == "right", judged
