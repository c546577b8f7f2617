"""A gate in many orders: threads may change between any two bytecodes of its decisions and hand-overs."""

import asyncio

from seawall import DeadlineExceeded, Fixed, Gate, Overloaded, Workload
from seawall.admission import admitted, gate
from seawall.core import control, fairness, shares
from seawall.runtime import park
from seawall.testing.interleavings import Interleaving, explore

WITHIN = (gate, admitted, control, fairness, shares, park)


class Inside:
    def __init__(self, seats: int) -> None:
        self.seats = seats
        self.now = 0

    def pass_through(self) -> None:
        self.now += 1
        assert self.now <= self.seats
        self.now -= 1


def check_of(door: Gate, came: int):
    def check() -> None:
        figures = door.statistics()
        assert figures.seats_taken == figures.in_flight == figures.waiting == 0
        workloads = figures.workloads
        assert sum(w.arrivals_total for w in workloads) == came
        assert came == sum(w.done_total + w.refused_total + w.cancelled_total for w in workloads)
        assert figures.holders == ()

    return check


def threads_with_time_outs(run: Interleaving):
    door, inside = Gate("g", Fixed(1), [Workload("a", share=0.5), Workload("b", deadline_s=0.5)]), Inside(1)

    def enter(name: str) -> None:
        for _ in range(2):
            try:
                with door.admit_sync(name):
                    inside.pass_through()
            except (DeadlineExceeded, Overloaded):
                pass

    for name in ("a", "b", "b"):
        run.thread(lambda name=name: enter(name))
    return check_of(door, 6)


def threads_and_tasks_with_cancels(run: Interleaving):
    door, inside = Gate("g", Fixed(1), [Workload("a", queue_limit=2, deadline_s=9.0)]), Inside(1)

    def enter(tenant: str) -> None:
        for _ in range(2):
            try:
                with door.admit_sync("a", tenant=tenant):
                    inside.pass_through()
            except (DeadlineExceeded, Overloaded):
                pass

    async def main() -> None:
        async def visit() -> None:
            try:
                async with door.admit("a", tenant="task"):
                    inside.pass_through()
            except (DeadlineExceeded, Overloaded):
                pass

        tasks = [asyncio.ensure_future(visit()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run.thread(lambda: enter("x"))
    run.thread(lambda: enter("y"))
    run.tasks(main)
    return check_of(door, 7)


def closing_and_draining(run: Interleaving):
    door = Gate("g", Fixed(1), [Workload("a", deadline_s=9.0)])
    left: list[int] = []

    def enter() -> None:
        try:
            with door.admit_sync("a"):
                left.append(1)
        except Overloaded:
            left.append(0)
        except DeadlineExceeded:
            left.append(2)

    def drain() -> None:
        door.drain()
        assert door.statistics().in_flight == door.statistics().waiting == 0

    run.thread(enter)
    run.thread(enter)
    run.thread(drain)

    def check() -> None:
        assert len(left) == 2
        assert door.statistics().seats_taken == 0

    return check


def test_threads_and_time_outs_lose_no_seat_in_any_order_tried() -> None:
    explore(threads_with_time_outs, runs=150, within=WITHIN)


def test_tasks_threads_and_cancels_lose_no_seat_in_any_order_tried() -> None:
    explore(threads_and_tasks_with_cancels, runs=150, within=WITHIN)


def test_a_drain_ends_when_the_last_has_left_in_every_order_tried() -> None:
    explore(closing_and_draining, runs=150, within=WITHIN)
