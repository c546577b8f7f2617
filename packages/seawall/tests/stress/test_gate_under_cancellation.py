"""Threads and two loops at one gate, with random cancels, time-outs, refusals and errors: everybody is accounted for."""

import asyncio
import os
import random
import threading

import pytest

from seawall import Adaptive, DeadlineExceeded, Fixed, Gate, Misuse, Overloaded, Workload
from seawall.core.limits import Limit
from seawall.observe.waits import WAITS

IN_SUITE = 11_000
IN_SOAK = int(os.environ.get("SOAK_CANCELS", "1000000"))
PATIENCE_S = 240.0
NAMES = ("sign-in", "page", "export")
WORKLOADS = [
    Workload("sign-in", priority="critical", share=0.3, queue_limit=4, deadline_s=0.002),
    Workload("page", share=0.4, queue_limit=8, deadline_s=0.005, burst_s=0.01),
    Workload("export", priority="background", queue_limit=4, deadline_s=0.01, max_share=0.5),
]


class Count:
    """What those who came saw themselves, to be compared with what the gate says."""

    def __init__(self, gate: Gate, seats: int, enough: int) -> None:
        self.gate, self.seats, self.enough = gate, seats, enough
        self.guard = threading.Lock()
        self.inside = 0
        self.saw = dict.fromkeys(("done", "refused", "cancelled"), 0)
        self.early = 0
        self.errors: list[str] = []

    def enter(self) -> None:
        with self.guard:
            self.inside += 1
            if self.inside > self.seats:
                self.errors.append(f"{self.inside} inside")

    def leave(self) -> None:
        with self.guard:
            self.inside -= 1

    def note(self, what: str) -> None:
        with self.guard:
            self.saw[what] += 1
            self.early += what != "done"

    def is_over(self) -> bool:
        return self.early >= self.enough or bool(self.errors)


def in_thread(count: Count, seed: int) -> None:
    chance = random.Random(seed)
    while not count.is_over():
        try:
            with count.gate.admit_sync(chance.choice(NAMES), tenant=chance.choice("abc")):
                count.enter()
                count.leave()
                if chance.random() < 0.1:
                    raise ValueError
        except (DeadlineExceeded, Overloaded):
            count.note("refused")
        except ValueError:
            count.note("done")
        else:
            count.note("done")


async def on_loop(count: Count, seed: int) -> None:
    chance = random.Random(seed)

    async def visit() -> None:
        try:
            async with count.gate.admit(chance.choice(NAMES), tenant=chance.choice("abc"), cost=chance.choice([1, 3])):
                count.enter()
                try:
                    for _ in range(chance.randrange(3)):
                        await asyncio.sleep(0)
                finally:
                    count.leave()
        except (DeadlineExceeded, Overloaded):
            count.note("refused")
        except asyncio.CancelledError:
            count.note("cancelled")
            raise
        else:
            count.note("done")

    async def one(turns: int) -> None:
        task = asyncio.create_task(visit())
        await asyncio.sleep(0)  # it has begun, so that each is seen by the gate
        for _ in range(turns):
            await asyncio.sleep(0)
        if chance.random() < 0.6:
            task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            count.errors.append(repr(outcome))

    while not count.is_over():
        await asyncio.gather(*[one(chance.randrange(6)) for _ in range(12)])


def fight(limit: Limit, seats: int, enough: int, patience_s: float) -> None:
    gate = Gate("g", limit, WORKLOADS)
    count = Count(gate, seats, enough)

    def guarded(run) -> None:
        try:
            run()
        except BaseException as error:
            count.errors.append(repr(error))
            raise

    runs = [lambda seed=seed: in_thread(count, seed) for seed in range(3)]
    runs += [lambda seed=seed: asyncio.run(on_loop(count, seed)) for seed in (10, 11)]
    threads = [threading.Thread(target=guarded, args=(run,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience_s)
    assert not [thread for thread in threads if thread.is_alive()], "a wake-up was lost"
    assert count.errors == []
    figures = gate.statistics()
    assert (figures.seats_taken, figures.in_flight, figures.waiting, figures.holders) == (0, 0, 0, ())
    told = {
        "done": sum(w.done_total for w in figures.workloads),
        "refused": sum(w.refused_total for w in figures.workloads),
        "cancelled": sum(w.cancelled_total for w in figures.workloads),
    }
    # Who is refused while it waits, and cancelled before it hears of it, sees itself as cancelled.
    assert told["done"] == count.saw["done"]
    assert told["refused"] + told["cancelled"] == count.saw["refused"] + count.saw["cancelled"]
    assert told["refused"] >= count.saw["refused"]
    assert sum(w.arrivals_total for w in figures.workloads) == sum(told.values())
    assert count.saw["done"] > 0
    assert WAITS.now() == ()
    assert WAITS._waits == {}


@pytest.mark.parametrize("kind", ["fixed", "adaptive"])
def test_everybody_is_accounted_for_and_no_seat_is_lost(kind: str) -> None:
    limit: Limit = Fixed(3) if kind == "fixed" else Adaptive(initial=3, maximum=6, interval_s=0.01)
    fight(limit, 3 if kind == "fixed" else 6, IN_SUITE // 2, PATIENCE_S)


@pytest.mark.soak
def test_the_same_with_a_million_cancels_and_time_outs() -> None:
    fight(Fixed(3), 3, IN_SOAK, patience_s=7200)


def test_a_leak_that_is_planted_is_found() -> None:
    gate = Gate("g", Fixed(1), [Workload("page", deadline_s=0.01)])
    leaked = gate.admit_sync("page")
    leaked.__enter__()  # and never left
    with pytest.raises((DeadlineExceeded, Misuse)):
        threading_result(lambda: gate.admit_sync("page").__enter__())
    assert gate.statistics().in_flight == gate.statistics().seats_taken == 1
    leaked.__exit__(None, None, None)


def threading_result(run) -> None:
    """Run it on another thread and raise what it raises."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join(PATIENCE_S)
    for error in raised:
        raise error
