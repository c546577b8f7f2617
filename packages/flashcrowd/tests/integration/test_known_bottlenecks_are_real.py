"""That what is planted limits, by what goes through; no analyser is asked."""

from __future__ import annotations

import asyncio

import pytest
from known_bottlenecks.crowd import Crowd
from known_bottlenecks.planted import draw
from known_bottlenecks.serve import served


def done_per_s(name: str, widened: int) -> float:
    """What goes through when twice as much comes as the planted resource can do."""

    async def come(url: str) -> float:
        crowd = Crowd(url, seed=1)
        await crowd.come(5, 0.5)
        samples = await crowd.come(2.2 * draw(name, 1).capacity_per_s, 1.0)
        await crowd.close()
        assert {sample.outcome for sample in samples} == {"good"}
        return len(samples) / (max(sample.ended_s for sample in samples) - min(sample.intended_s for sample in samples))

    with served(name, 1, widened=widened) as url:
        return asyncio.run(come(url))


@pytest.mark.parametrize("name", ["semaphore_tasks", "connection_pool_metrics"])
def test_what_is_planted_is_the_limit_and_twice_of_it_lets_more_through(name: str) -> None:
    narrow, wide = done_per_s(name, 1), done_per_s(name, 2)
    assert narrow <= 1.1 * draw(name, 1).capacity_per_s
    assert wide > 1.15 * narrow  # twice on a machine that has the cores
