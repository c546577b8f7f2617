"""Small scenarios in every order: threads are interrupted at each bytecode of Seawall's fast and slow paths in turn."""

import asyncio
import dis
import time
from collections import defaultdict
from types import CodeType

import pytest

from seawall import Batcher, Condition, Deadlock, Mutex, ReadWriteLock, Semaphore, configure, deadline, remaining_s
from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import Line
from seawall.locks.condition import Condition as ConditionType
from seawall.locks.semaphore import Semaphore as SemaphoreType
from seawall.pools.crew import Crew
from seawall.pools.future import PoolFuture
from seawall.pools.member import Member
from seawall.runtime.script import Script
from seawall.testing import Interleaving, explore_all, replay

SHORT = [
    "mutex",
    "mutex_verbs",
    "mutex_with_a_late_one",
    "mutex_with_a_task",
    "three_at_a_mutex_one_late",
    "semaphore",
    "semaphore_released_by_another",
    "condition",
    "line",
    "flight_forgotten",
    "a_reader_that_stays",
    "resources",
]
LONG = ["nobody_is_overtaken_twice", "read_write", "a_late_writer", "a_notified_one_that_is_late", "pool", "batcher"]
TWICE = ["mutex", "mutex_verbs", "mutex_with_a_late_one", "semaphore", "semaphore_released_by_another", "condition"]
"""Few enough steps for each pair of interruptions: some ten thousand orders."""


@pytest.mark.parametrize("name", SHORT)
def test_it_holds_wherever_one_thread_is_interrupted(orders, name: str) -> None:
    configure(level="watched")
    assert explore_all(orders.SCENARIOS[name]) > 50


@pytest.mark.parametrize("name", LONG)
def test_it_holds_in_each_order_without_an_interruption(orders, name: str) -> None:
    configure(level="watched")
    assert explore_all(orders.SCENARIOS[name], preemptions=0) > 1


@pytest.mark.soak
@pytest.mark.parametrize("name", LONG)
def test_longer_ones_hold_wherever_one_thread_is_interrupted(orders, name: str) -> None:
    configure(level="watched")
    assert explore_all(orders.SCENARIOS[name], most_runs=1_000_000) > 50


@pytest.mark.soak
@pytest.mark.parametrize("level", ["watched", "timed"])
@pytest.mark.parametrize("name", TWICE)
def test_it_holds_wherever_threads_are_interrupted_twice(orders, name: str, level: str) -> None:
    configure(level=level)
    assert explore_all(orders.SCENARIOS[name], preemptions=2, most_runs=1_000_000) > 1_000


# That "each bytecode" is true.

FAST_PATHS = [
    Mutex.__enter__,
    Mutex.__exit__,
    Mutex.acquire,
    Mutex.release,
    Mutex.try_acquire,
    SemaphoreType.__enter__,
    SemaphoreType.__exit__,
    SemaphoreType.acquire,
    SemaphoreType.release,
    Line.give,
    ConditionType.notify,
    Crew.take_on,
    PoolFuture.carry_out,
    PoolFuture.result,
    Member._take_one,
    Batcher._enter,
    Batcher._take,
]


def every_fast_path(run: Interleaving) -> None:
    mutex, slots, lock = Mutex("m"), Semaphore("s", 1), ReadWriteLock("rw")
    crew = Crew("p", 0, 1, 100, 0)
    crew.is_watched = True
    journal: Batcher[int] = Batcher("b", len, max_items=2, capacity=4)

    def pass_through() -> None:
        with mutex:
            Condition(mutex).notify()
        with slots, lock.read:
            pass
        with lock.write:
            pass
        for one in (mutex, slots):
            one.acquire()
            one.release()
        assert mutex.try_acquire()
        mutex.release()
        future = PoolFuture(crew, abs, (-1,), {})
        crew.take_on(future)
        assert future.result() == 1
        crew.close()
        journal.put_sync(1)
        journal.close()

    run.thread(pass_through)


def test_a_thread_can_be_interrupted_before_every_bytecode_of_the_fast_paths(monkeypatch) -> None:
    configure(level="named")
    offered: dict[CodeType, set[int]] = defaultdict(set)
    ran: dict[CodeType, set[int]] = defaultdict(set)
    traced = Script._trace_inside

    def trace(self, frame, event, argument):
        steps = self.steps
        found = traced(self, frame, event, argument)
        if event == "opcode":
            ran[frame.f_code].add(frame.f_lasti)
            if self.steps > steps:
                offered[frame.f_code].add(frame.f_lasti)
        return found

    monkeypatch.setattr(Script, "_trace_inside", trace)
    replay(every_fast_path, "")
    for path in FAST_PATHS:
        code = path.__code__
        instructions = list(dis.get_instructions(code))
        assert offered[code] == ran[code]
        # From the first instruction after the call has begun on, without a gap up to the first jump, return or raise.
        begins = next(at for at, one in enumerate(instructions) if one.opname == "RESUME") + 1
        straight = []
        for one in instructions[begins:]:
            straight.append(one.offset)
            if "JUMP" in one.opname or one.opname.startswith(("RETURN", "FOR_ITER", "SEND")):
                break
        missing = [offset for offset in straight if offset not in offered[code]]
        assert missing == [], f"{path.__qualname__}: {missing}"


# Time.


def test_time_stands_still_but_where_a_wait_times_out() -> None:
    def scenario(run: Interleaving):
        slots, seen = Semaphore("s", 0), []

        def wait() -> None:
            began_s = SYSTEM_CLOCK.monotonic()
            with deadline(60.0):
                try:
                    slots.acquire(timeout_s=3600.0)
                except TimeoutError as late:
                    seen.append((late.waited_s, run.now_s() - began_s, remaining_s()))

        run.thread(wait)

        def check() -> None:
            assert seen == [(pytest.approx(60.0), pytest.approx(60.0), pytest.approx(0.0))]

        return check

    explore_all(scenario)


def test_who_sleeps_wakes_at_its_time_and_in_an_order_that_time_allows() -> None:
    def scenario(run: Interleaving):
        woken: list[tuple[str, float]] = []
        began_s = run.now_s()

        def sleep(name: str, for_s: float) -> None:
            run.sleep(for_s)
            woken.append((name, run.now_s() - began_s))

        run.thread(lambda: sleep("short", 1.0))
        run.thread(lambda: sleep("long", 5.0))

        def check() -> None:
            times = dict(woken)
            assert times["long"] >= 5.0
            assert times["short"] >= 1.0
            # Only one that began after the other had slept adds its own time to it.
            assert run.now_s() - began_s in (pytest.approx(5.0), pytest.approx(6.0))

        return check

    assert explore_all(scenario, preemptions=2) > 1


def test_a_task_sleeps_in_the_runs_time_too() -> None:
    def scenario(run: Interleaving):
        seen: list[float] = []

        async def main() -> None:
            began_s = run.now_s()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 3600.0)
            seen.append(run.now_s() - began_s)

        run.tasks(main)

        def check() -> None:
            assert seen == [pytest.approx(3600.0)]

        return check

    replay(scenario, "")


def test_the_clock_is_the_systems_again_after_a_run() -> None:
    assert SYSTEM_CLOCK.monotonic is not None
    replay(lambda run: run.thread(lambda: run.sleep(1e6)), "")
    assert abs(SYSTEM_CLOCK.monotonic() - time.monotonic()) < 1e5


def test_a_deadlock_is_found_in_every_order_in_which_it_comes_about() -> None:
    configure(level="watched")
    ends: set[tuple[str, ...]] = set()

    def scenario(run: Interleaving):
        first, second, ended = Mutex("first"), Mutex("second"), []

        def enter(mine: Mutex, other: Mutex) -> None:
            try:
                with mine, other:
                    ended.append("through")
            except Deadlock:
                ended.append("refused")

        run.thread(lambda: enter(first, second))
        run.thread(lambda: enter(second, first))

        def check() -> None:
            assert ended.count("through") >= 1
            assert len(ended) == 2
            assert not first.locked()
            assert not second.locked()
            ends.add(tuple(sorted(ended)))

        return check

    explore_all(scenario)
    assert ends == {("through", "through"), ("refused", "through")}


def test_more_orders_than_wanted_are_refused(orders) -> None:
    with pytest.raises(ValueError, match="more than 10 orders"):
        explore_all(orders.SCENARIOS["mutex"], most_runs=10)
