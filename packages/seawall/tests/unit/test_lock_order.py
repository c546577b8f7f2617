import asyncio

import pytest

from seawall import (
    Deadlock,
    LockOrderViolation,
    Mutex,
    OrderInverted,
    Semaphore,
    accept_order,
    add_observer,
    configure,
    lock_order,
    remove_observer,
)
from seawall.locks.order import HELD, HELD_BY_TASKS


def take(*locks: Mutex | Semaphore) -> None:
    if locks:
        with locks[0]:
            take(*locks[1:])


async def take_async(*locks: Mutex | Semaphore) -> None:
    if locks:
        async with locks[0]:
            await take_async(*locks[1:])


def orders() -> list[tuple[str, str]]:
    return [(edge.first, edge.second) for edge in lock_order()]


def test_an_inversion_is_refused_the_first_time_though_nobody_waits(ordered) -> None:
    a, b = Mutex("a"), Mutex("b")
    take(a, b)
    with pytest.raises(LockOrderViolation) as caught:
        take(b, a)
    assert (caught.value.first, caught.value.second) == ("a", "b")
    assert not a.locked()
    assert not b.locked()
    assert HELD == HELD_BY_TASKS == {}


def test_the_error_has_names_owners_and_both_stacks(ordered) -> None:
    a, b = Mutex("a"), Mutex("b")

    def the_old_way() -> None:
        take(a, b)

    async def the_new_way() -> None:
        await take_async(b, a)

    the_old_way()
    with pytest.raises(LockOrderViolation) as caught:
        asyncio.run(the_new_way())
    error = caught.value
    assert error.owners[0] == "thread MainThread"
    assert error.owners[1].startswith("task ")
    assert any("in the_old_way" in line for line in error.stacks[0])
    assert any("in the_new_way" in line for line in error.stacks[1])
    assert "in the_old_way" in str(error)


def test_a_longer_way_around_is_found_and_shown(ordered) -> None:
    a, b, c = Mutex("a"), Mutex("b"), Mutex("c")
    take(a, b)
    take(b, c)
    with pytest.raises(LockOrderViolation, match="a → b → c"):
        take(c, a)


def test_names_count_not_objects_and_kinds_count_alike(ordered) -> None:
    take(Mutex("a"), Semaphore("s", 2))
    with pytest.raises(LockOrderViolation):
        take(Semaphore("s", 2), Mutex("a"))


def test_what_was_left_in_another_order_than_taken_is_no_longer_held(ordered) -> None:
    a, b, c = Mutex("a"), Mutex("b"), Mutex("c")
    a.acquire()
    b.acquire()
    a.release()
    with c:
        pass
    b.release()
    assert orders() == [("a", "b"), ("b", "c")]
    assert HELD == HELD_BY_TASKS == {}


def test_trying_without_a_wait_is_always_allowed_and_counts_as_held(ordered) -> None:
    a, b, c = Mutex("a"), Mutex("b"), Mutex("c")
    take(a, b)
    with b:
        assert a.try_acquire()
        with c:
            pass
        a.release()
    assert orders() == [("a", "b"), ("a", "c"), ("b", "c")]


def test_two_locks_of_one_name_need_rising_order_keys(ordered) -> None:
    take(Mutex("account", order_key=1), Mutex("account", order_key=2))
    for outer, inner in ((2, 1), (1, 1), (None, 1), ("1", 2)):
        with pytest.raises(LockOrderViolation, match="order keys"):
            take(Mutex("account", order_key=outer), Mutex("account", order_key=inner))


def test_several_permits_of_one_semaphore_need_no_order(ordered) -> None:
    slots = Semaphore("slots", 3)
    take(slots, slots)


def test_entering_again_is_a_deadlock_not_a_matter_of_order(ordered) -> None:
    mutex = Mutex("m")
    with pytest.raises(Deadlock):
        take(mutex, mutex)
    with pytest.raises(Deadlock):
        asyncio.run(take_async(mutex, mutex))


def test_what_a_task_holds_counts_for_a_with_in_it(ordered) -> None:
    a, b = Mutex("a"), Mutex("b")

    async def mix() -> None:
        async with a:
            with b:
                pass

    asyncio.run(mix())
    assert orders() == [("a", "b")]


def test_tasks_of_one_loop_do_not_count_for_each_other(ordered) -> None:
    a, b = Mutex("a"), Mutex("b")

    async def main() -> None:
        async with a:
            await asyncio.create_task(take_async(b))

    asyncio.run(main())
    assert orders() == []


def test_an_accepted_order_is_allowed_and_listed_with_its_reason(ordered) -> None:
    a, b = Mutex("a"), Mutex("b")
    take(a, b)
    accept_order("b", "a", reason="only while starting")
    take(b, a)
    assert [(edge.first, edge.reason) for edge in lock_order()] == [("a", None), ("b", "only while starting")]


def test_to_report_an_inversion_is_to_tell_observers_once_and_go_on(ordered) -> None:
    configure(on_inversion="report")
    seen: list[object] = []
    a, b = Mutex("a"), Mutex("b")
    add_observer(seen.append)
    try:
        take(a, b)
        take(b, a)
        take(b, a)
    finally:
        remove_observer(seen.append)
    assert len(seen) == 1
    assert isinstance(seen[0], OrderInverted)


def test_where_it_is_off_nothing_is_learned(ordered) -> None:
    configure(on_inversion="off")
    a, b = Mutex("a"), Mutex("b")
    take(a, b)
    take(b, a)
    assert orders() == []
