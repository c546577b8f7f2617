import asyncio
import gc
import itertools
import threading
import weakref

import pytest

from seawall import (
    DeadlineExceeded,
    Deadlock,
    DeadlockFound,
    Mutex,
    Semaphore,
    add_observer,
    configure,
    remove_observer,
)
from seawall.observe.events import EVENTS
from seawall.observe.waits import WAITS


def ring_of(count: int) -> list[tuple[Mutex, Mutex]]:
    mutexes = [Mutex(f"m{n}") for n in range(count)]
    return [(mutexes[n], mutexes[(n + 1) % count]) for n in range(count)]


@pytest.mark.parametrize(
    "kinds", [k for n in range(2, 6) for k in itertools.combinations_with_replacement(("thread", "task"), n)]
)
def test_a_ring_of_mutexes_is_broken_by_refusing_one_and_the_others_go_on(watched, planting, kinds) -> None:
    outcome = planting.plant(kinds, ring_of(len(kinds)))
    assert len(outcome.refused) == 1
    assert len(outcome.through) == len(kinds) - 1
    _, error = outcome.refused[0]
    assert {wait.resource for wait in error.cycle} == {f"m{n}" for n in range(len(kinds))}
    assert WAITS.now() == ()


def test_the_error_names_locks_owners_and_both_stacks(watched, planting) -> None:
    outcome = planting.plant(("thread", "task"), ring_of(2))
    name, error = outcome.refused[0]
    first, second = error.cycle
    assert first.waiter == (f"thread {name}" if name == "thread 0" else "task task 1")
    assert (first.holders, second.holders) == ((second.waiter,), (first.waiter,))
    for wait in error.cycle:
        assert any("in in_t" in line for line in wait.waiter_stack)
        assert any("in in_t" in line for line in wait.holder_stacks[0])
        assert "seawall/locks" not in wait.waiter_stack[-1]
        assert wait.resource in str(error)


def test_a_knot_through_a_semaphore_needs_every_holder_to_be_stuck(watched, planting) -> None:
    slots, mutex = Semaphore("slots", 2), Mutex("m")
    outcome = planting.plant(("thread", "thread", "task"), [(slots, mutex), (slots, mutex), (mutex, slots)])
    assert len(outcome.refused) == 1
    assert len(outcome.through) == 2
    named = {wait.resource: wait for wait in outcome.refused[0][1].cycle}
    assert set(named) == {"slots", "m"}
    assert len(named["slots"].holders) == 2


def test_one_permit_without_a_holder_makes_it_no_knot(watched) -> None:
    slots, done = Semaphore("slots", 2), []
    slots.acquire()  # by nobody in particular, so anyone may give it back

    def take_twice() -> None:
        with slots, slots:
            done.append(True)

    thread = threading.Thread(target=take_twice)
    thread.start()
    while not slots.statistics().waiters:
        pass
    slots.release()
    thread.join()
    assert done == [True]


def test_permits_added_by_release_are_counted(watched) -> None:
    slots = Semaphore("slots", 1)
    slots.release()
    with slots:
        slots.acquire()
        with pytest.raises(DeadlineExceeded):
            slots.acquire(timeout_s=0.001)
        slots.release()


def test_the_last_permit_wanted_by_its_own_holder_is_a_deadlock(watched) -> None:
    slots = Semaphore("slots", 1)
    with slots, pytest.raises(Deadlock), slots:
        pass
    assert slots.statistics().free == 1


def test_two_holders_of_a_semaphore_who_both_want_another_permit_are_a_knot(watched, planting) -> None:
    slots = Semaphore("slots", 2)
    outcome = planting.plant(("thread", "task"), [(slots, slots), (slots, slots)])
    assert (len(outcome.refused), len(outcome.through)) == (1, 1)
    assert slots.statistics().free == 2


def test_a_loop_that_a_thread_blocks_is_part_of_the_ring(watched, planting) -> None:
    # The holder of `a` is a task that could run, did not another task of its loop block the thread they share.
    a, b = Mutex("a"), Mutex("b")
    held, refused = threading.Barrier(2), []

    async def hold_a(go_on: asyncio.Event) -> None:
        async with a:
            await go_on.wait()

    async def main() -> None:
        go_on = asyncio.Event()
        holder = asyncio.create_task(hold_a(go_on), name="holder")
        await asyncio.sleep(0)
        held.wait(planting.PATIENCE_S)
        try:
            with b:
                pass
        except Deadlock as error:
            refused.append(error)
        go_on.set()
        await holder

    def hold_b() -> None:
        try:
            with b:
                held.wait(planting.PATIENCE_S)
                with a:
                    pass
        except Deadlock as error:
            refused.append(error)

    planting.run_all([("loop", lambda: asyncio.run(main())), ("thread", hold_b)])
    assert len(refused) == 1
    assert {wait.resource for wait in refused[0].cycle} == {"a", "b", "its event loop"}


def test_to_report_is_to_tell_observers_and_to_go_on_waiting(watched, planting) -> None:
    configure(on_deadlock="report")
    seen, before = [], EVENTS.deadlocks_total
    first, second = Mutex("first"), Mutex("second")
    told = asyncio.Event()

    def note(event) -> None:
        seen.append(event)
        told.set()

    async def enter(mine: Mutex, other: Mutex, both: asyncio.Barrier) -> None:
        async with mine:
            await both.wait()
            await other.acquire_async()
            other.release()

    async def main() -> None:
        both = asyncio.Barrier(2)
        tasks = [asyncio.create_task(enter(first, second, both)), asyncio.create_task(enter(second, first, both))]
        await told.wait()
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert tasks[0].cancelled()
        assert tasks[1].exception() is None

    add_observer(note)
    try:
        asyncio.run(main())
    finally:
        remove_observer(note)
    assert isinstance(seen[0], DeadlockFound)
    assert not seen[0].was_raised
    assert EVENTS.deadlocks_total == before + 1


@pytest.mark.parametrize("how", [{"on_deadlock": "off"}, {"level": "named"}])
def test_where_it_is_off_only_the_deadline_ends_it(watched, planting, how) -> None:
    configure(**how)
    first, second = Mutex("first"), Mutex("second")
    late, both = [], threading.Barrier(2)

    def enter(mine: Mutex, other: Mutex) -> None:
        with mine:
            both.wait(planting.PATIENCE_S)
            try:
                other.acquire(timeout_s=0.02)
            except DeadlineExceeded as error:
                late.append(error)
            else:
                other.release()

    planting.run_all([("a", lambda: enter(first, second)), ("b", lambda: enter(second, first))])
    assert late


def test_an_observer_that_fails_breaks_nobody(watched, planting) -> None:
    before = EVENTS.observer_failures_total

    def fail(event) -> None:
        raise ValueError("no")

    add_observer(fail)
    try:
        outcome = planting.plant(("thread", "thread"), ring_of(2))
    finally:
        remove_observer(fail)
    assert len(outcome.refused) == 1
    assert EVENTS.observer_failures_total == before + 1


def test_a_wait_whose_loop_was_closed_is_forgotten_and_its_task_with_it(watched) -> None:
    slots = Semaphore("slots", 1)
    slots.acquire()
    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(slots.acquire_async())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    abandoned._log_destroy_pending = False
    kept = weakref.ref(abandoned)
    del abandoned
    slots.release()
    assert WAITS.now() == ()
    gc.collect()
    assert kept() is None
