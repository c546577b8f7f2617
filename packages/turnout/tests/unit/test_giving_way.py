"""Work in the background gives way to whoever stands at a gate, and goes on all the same when that never ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from serving import until

from seawall import Fixed, Gate, Stop, Worker, Workload
from turnout.jobs.giving_way import BustleAtGates, Nobody, give_way, give_way_async

LONG_S = 600.0


@pytest.fixture
def gate() -> Iterator[Gate]:
    works = [
        Workload("people", "interactive", 0.5),
        Workload("files", "background", max_share=0.5),
        Workload("health", exempt=True),
    ]
    gate = Gate("giving-way", Fixed(2), works)
    yield gate
    gate.close()


def test_there_is_bustle_while_the_next_one_would_have_to_wait(gate: Gate) -> None:
    bustle = BustleAtGates([gate])
    assert not bustle.is_busy()
    with gate.admit_sync("people"):
        assert not bustle.is_busy()
        with gate.admit_sync("people"):
            assert bustle.is_busy()
        assert not bustle.is_busy()


def test_work_in_the_background_and_what_is_never_refused_are_no_bustle(gate: Gate) -> None:
    bustle = BustleAtGates([gate])
    with gate.admit_sync("files"), ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(gate.admit_sync("health"))
        assert not bustle.is_busy()


def test_it_rests_until_they_are_served(gate: Gate) -> None:
    bustle, done = BustleAtGates([gate]), []

    def run(stop: Stop) -> None:
        done.append(give_way(bustle, stop, LONG_S))

    worker = Worker("giving-way", run)
    with gate.admit_sync("people"), gate.admit_sync("people"):
        worker.start()
        assert not worker_is_over(worker, done)
    until(lambda: bool(done), "it to go on")
    assert done[0] > 0
    worker.stop(30)


def worker_is_over(worker: Worker, done: list[float]) -> bool:
    """Whether it went on although it is busy; it has looked at least twice when this is known."""
    asyncio.run(asyncio.sleep(0.25))
    return bool(done)


def test_it_goes_on_after_its_time_though_the_crowd_stays(gate: Gate) -> None:
    with gate.admit_sync("people"), gate.admit_sync("people"):
        assert give_way(BustleAtGates([gate]), Stop(), 0.2) >= 0.2
        asyncio.run(give_way_async(BustleAtGates([gate]), 0.2))


def test_it_ends_at_once_when_it_is_to_stop(gate: Gate) -> None:
    bustle = BustleAtGates([gate])
    with gate.admit_sync("people"), gate.admit_sync("people"):
        worker = Worker("giving-way", lambda stop: give_way(bustle, stop, LONG_S) and None)
        worker.start()
        worker.stop(30)
        assert not worker.statistics().is_running


def test_without_a_server_there_is_nobody(gate: Gate) -> None:
    assert give_way(Nobody(), Stop(), LONG_S) < LONG_S
