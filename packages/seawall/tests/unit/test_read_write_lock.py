import asyncio
import threading

import pytest

from seawall import DeadlineExceeded, Deadlock, LockOrderViolation, Misuse, Mutex, ReadWriteLock, configure, snapshot


def wait_for_waiters(lock: ReadWriteLock, count: int) -> None:
    pause = threading.Event()
    for _ in range(4000):
        if len(lock.statistics().waiters) >= count:
            return
        pause.wait(0.005)
    raise AssertionError(f"never saw {count} waiters")


def assert_free(lock: ReadWriteLock) -> None:
    assert lock.write.try_acquire()
    lock.write.release()
    figures = lock.statistics()
    assert (figures.readers, figures.writer, figures.waiters) == ((), None, ())


def test_many_read_at_once_and_one_writes_alone() -> None:
    lock = ReadWriteLock("config")
    inside = threading.Barrier(3)

    def read() -> None:
        with lock.read:
            inside.wait(20)
            assert lock.read.locked()
            assert not lock.write.try_acquire()
            inside.wait(20)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with lock.write:
        assert lock.write.locked()
        assert lock.statistics().writer == "thread MainThread"
    assert_free(lock)


def test_nobody_overtakes_threads_and_tasks_get_in_as_they_came() -> None:
    lock = ReadWriteLock("config")
    entered: list[str] = []

    async def main() -> None:
        async def enter(name: str) -> None:
            side = lock.read if name.startswith("r") else lock.write
            async with side:
                entered.append(name)
                await asyncio.sleep(0)

        async with lock.read:
            tasks = []
            for name in ("w1", "r1", "r2", "w2", "r3"):
                tasks.append(asyncio.create_task(enter(name)))
                await asyncio.sleep(0)
            assert entered == []  # r1 does not slip in beside the reader who is there
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert entered == ["w1", "r1", "r2", "w2", "r3"]
    assert_free(lock)


def test_readers_at_the_front_come_in_together_though_none_has_woken() -> None:
    lock = ReadWriteLock("config")

    async def main() -> None:
        async def read() -> None:
            async with lock.read:
                pass

        async with lock.write:
            tasks = [asyncio.create_task(read()) for _ in range(1500)]  # more than the recursion limit
            await asyncio.sleep(0)
        assert len(lock.statistics().readers) == 1500
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert_free(lock)


@pytest.mark.parametrize("again", ["read", "write"])
@pytest.mark.parametrize("first", ["read", "write"])
def test_entering_again_on_either_side_is_a_deadlock_at_once(first: str, again: str) -> None:
    lock = ReadWriteLock("config")
    with getattr(lock, first), pytest.raises(Deadlock), getattr(lock, again):
        pass

    async def in_task() -> None:
        async with getattr(lock, first):
            await getattr(lock, again).acquire_async()

    with pytest.raises(Deadlock):
        asyncio.run(in_task())
    assert_free(lock)


def test_a_writer_that_gives_up_lets_the_readers_behind_it_in() -> None:
    lock = ReadWriteLock("config")

    async def main() -> None:
        read = asyncio.Event()

        async def reader() -> None:
            async with lock.read:
                read.set()

        async with lock.read:
            writer = asyncio.create_task(lock.write.acquire_async())
            await asyncio.sleep(0)
            behind = asyncio.create_task(reader())
            await asyncio.sleep(0)
            writer.cancel()
            await read.wait()
            with pytest.raises(DeadlineExceeded):  # unshielded it would be a deadlock of this task and that one
                await asyncio.shield(lock.write.acquire_async(timeout_s=0.001))
        await behind

    asyncio.run(main())
    assert_free(lock)


def test_a_cancelled_reader_that_was_let_in_leaves_again() -> None:
    lock = ReadWriteLock("config")

    async def main() -> None:
        await lock.write.acquire_async()
        reader = asyncio.create_task(lock.read.acquire_async())
        await asyncio.sleep(0)
        lock.write.release()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

    asyncio.run(main())
    assert_free(lock)


def test_with_on_a_loops_thread_for_what_its_tasks_hold_is_misuse() -> None:
    lock = ReadWriteLock("config")

    async def main() -> None:
        async def hold(side: str, go_on: asyncio.Event) -> None:
            async with getattr(lock, side):
                await go_on.wait()

        for side in ("read", "write"):
            go_on = asyncio.Event()
            holder = asyncio.create_task(hold(side, go_on))
            await asyncio.sleep(0)
            with pytest.raises(Misuse), lock.write:
                pass
            go_on.set()
            await holder

    asyncio.run(main())
    assert_free(lock)


def test_leaving_what_one_does_not_hold_is_misuse() -> None:
    lock = ReadWriteLock("config")
    with pytest.raises(Misuse):
        lock.read.release()
    with lock.read, pytest.raises(Misuse):
        lock.write.release()
    assert_free(lock)


def test_a_reader_who_waits_for_what_the_next_writer_holds_is_refused(watched, planting) -> None:
    lock, mutex = ReadWriteLock("config"), Mutex("m")
    outcome = planting.plant(("thread", "task"), [(lock.read, mutex), (mutex, lock.write)])
    assert (len(outcome.refused), len(outcome.through)) == (1, 1)
    assert {wait.resource for wait in outcome.refused[0][1].cycle} == {"config", "m"}
    assert_free(lock)


def test_one_stuck_reader_of_several_is_enough_to_stop_a_writer(watched, planting) -> None:
    lock, mutex, other = ReadWriteLock("config"), Mutex("m"), Mutex("other")
    wants = [(lock.read, mutex), (lock.read, other), (mutex, lock.write)]
    outcome = planting.plant(("thread", "task", "thread"), wants)
    assert (len(outcome.refused), len(outcome.through)) == (1, 2)
    assert_free(lock)


def test_a_reader_behind_a_waiting_writer_takes_part_in_the_ring(watched, planting) -> None:
    # The one who reads wants what the second reader-to-be holds, and that one waits behind a writer.
    lock, mutex = ReadWriteLock("config"), Mutex("m")
    refused: list[Deadlock] = []
    reading, waiting = threading.Event(), threading.Event()

    def read_then_mutex() -> None:
        with lock.read:
            reading.set()
            waiting.wait(20)
            try:
                with mutex:
                    pass
            except Deadlock as error:
                refused.append(error)

    def write() -> None:
        reading.wait(20)
        with lock.write:
            pass

    def mutex_then_read() -> None:
        reading.wait(20)
        with mutex:
            wait_for_waiters(lock, 1)
            threading.Thread(target=lambda: (wait_for_waiters(lock, 2), waiting.set())).start()
            with lock.read:
                pass

    planting.run_all([("a", read_then_mutex), ("b", write), ("c", mutex_then_read)])
    assert len(refused) == 1
    assert len(refused[0].cycle) == 3
    assert_free(lock)


def test_both_sides_have_one_place_in_the_lock_order(ordered) -> None:
    lock, mutex = ReadWriteLock("config"), Mutex("m")
    with lock.read, mutex:
        pass
    with pytest.raises(LockOrderViolation), mutex, lock.write:
        pass
    assert_free(lock)


def test_the_level_may_change_while_it_is_held() -> None:
    lock = ReadWriteLock("config")
    for level in ("timed", "named", "ordered", "watched"):
        with lock.read:
            configure(level=level)
        with lock.write:
            configure(level="timed")
    assert_free(lock)
    assert lock.statistics().holds.total > 0


def test_it_is_in_the_snapshot() -> None:
    lock = ReadWriteLock("read-write in snapshot")
    with lock.read:
        shown = next(s for s in snapshot().read_write_locks if s.name == lock.name)
    assert shown.readers == ("thread MainThread",)
