"""Small scenarios, each of two or three threads at one kind of thing, for the scheduler to run in every order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from seawall import Batcher, Condition, DeadlineExceeded, Mutex, ReadWriteLock, ResourcePool, Semaphore, SingleFlight
from seawall.core.line import Line
from seawall.observe.waits import WAITS
from seawall.pools.crew import Crew
from seawall.pools.future import PoolFuture
from seawall.runtime.park import ThreadWaiter
from seawall.testing import Interleaving

Check = Callable[[], None]


class Inside:
    """Checks how many are inside at once."""

    def __init__(self, most: int = 1) -> None:
        self.most = most
        self.now = 0
        self.entries = 0

    def pass_through(self) -> None:
        self.now += 1
        assert self.now <= self.most, "too many are inside"
        self.entries += 1
        self.now -= 1


def assert_nobody_waits() -> None:
    assert WAITS.now() == ()
    assert WAITS._waits == {}


def mutex(run: Interleaving) -> Check:
    lock, inside = Mutex("m"), Inside()

    def enter() -> None:
        with lock:
            inside.pass_through()

    run.thread(enter)
    run.thread(enter)

    def check() -> None:
        assert inside.entries == 2
        assert [lock.try_acquire(), lock.try_acquire()] == [True, False]
        assert_nobody_waits()

    return check


def mutex_verbs(run: Interleaving) -> Check:
    lock, inside = Mutex("m"), Inside()

    def enter() -> None:
        lock.acquire()
        inside.pass_through()
        lock.release()

    def try_to_enter() -> None:
        if lock.try_acquire():
            inside.pass_through()
            lock.release()

    run.thread(enter)
    run.thread(try_to_enter)

    def check() -> None:
        assert inside.entries >= 1
        assert lock.try_acquire()

    return check


def mutex_with_a_late_one(run: Interleaving) -> Check:
    lock, inside = Mutex("m"), Inside()
    waits: list[tuple[float, float]] = []

    def enter() -> None:
        with lock:
            inside.pass_through()

    def enter_in_time() -> None:
        began_s = run.now_s()
        try:
            lock.acquire(timeout_s=3.0)
        except DeadlineExceeded as late:
            waits.append((late.waited_s, run.now_s() - began_s))
            return
        assert run.now_s() == began_s
        inside.pass_through()
        lock.release()

    run.thread(enter)
    run.thread(enter_in_time)

    def check() -> None:
        assert all(abs(told_s - 3.0) + abs(passed_s - 3.0) < 1e-6 for told_s, passed_s in waits)
        assert lock.try_acquire()
        assert_nobody_waits()

    return check


def three_at_a_mutex_one_late(run: Interleaving) -> Check:
    lock, inside = Mutex("m"), Inside()

    def enter() -> None:
        with lock:
            inside.pass_through()

    def enter_in_time() -> None:
        try:
            lock.acquire(timeout_s=3.0)
        except DeadlineExceeded:
            return
        inside.pass_through()
        lock.release()

    run.thread(enter)
    run.thread(enter_in_time)
    run.thread(enter)

    def check() -> None:
        assert inside.entries >= 2
        assert lock.try_acquire()

    return check


def mutex_with_a_task(run: Interleaving) -> Check:
    lock, inside = Mutex("m"), Inside()

    def enter() -> None:
        with lock:
            inside.pass_through()

    async def main() -> None:
        async def enter_async() -> None:
            async with lock:
                inside.pass_through()

        first, second = asyncio.ensure_future(enter_async()), asyncio.ensure_future(enter_async())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)

    run.thread(enter)
    run.tasks(main)

    def check() -> None:
        assert inside.entries >= 2
        assert lock.try_acquire()

    return check


def line(run: Interleaving) -> Check:
    """One gives a permit, one waits for it, and one comes for it and leaves again."""
    queue = Line(0)

    def wait() -> None:
        waiter = ThreadWaiter()
        queue.join(waiter)
        assert waiter.wait(None)
        queue.arrived(waiter)
        queue.give()

    def come_and_leave() -> None:
        waiter = ThreadWaiter()
        queue.join(waiter)
        if waiter.claim():
            queue.leave(waiter)
        else:
            queue.arrived(waiter)
            queue.give()

    run.thread(wait)
    run.thread(queue.give)
    run.thread(come_and_leave)

    def check() -> None:
        assert len(queue.free) == 1
        assert (list(queue.queued()), queue.in_transit()) == ([], [])

    return check


def nobody_is_overtaken_twice(run: Interleaving) -> Check:
    lock, overtaken = Mutex("m"), dict[object, int]()

    def enter() -> None:
        ahead = list(lock._line.queued())
        with lock:
            for waiter in ahead:
                if waiter in lock._line.waiters:
                    overtaken[waiter] = overtaken.get(waiter, 0) + 1

    def leave_late() -> None:
        try:
            lock.acquire(timeout_s=1.0)
        except DeadlineExceeded:
            return
        lock.release()

    for part in (enter, leave_late, enter):
        run.thread(part)

    def check() -> None:
        assert max(overtaken.values(), default=0) <= 1

    return check


def semaphore(run: Interleaving) -> Check:
    slots, inside = Semaphore("s", 1), Inside()

    def enter() -> None:
        with slots:
            inside.pass_through()

    def take() -> None:
        slots.acquire(timeout_s=3.0)
        inside.pass_through()
        slots.release()

    def take_in_time() -> None:
        try:
            take()
        except DeadlineExceeded:
            pass

    run.thread(enter)
    run.thread(take_in_time)

    def check() -> None:
        assert [slots.try_acquire(), slots.try_acquire()] == [True, False]

    return check


def semaphore_released_by_another(run: Interleaving) -> Check:
    signal, heard = Semaphore("s", 0), []

    def wait() -> None:
        signal.acquire()
        heard.append(1)

    run.thread(wait)
    run.thread(lambda: signal.release())

    def check() -> None:
        assert heard == [1]
        assert not signal.try_acquire()

    return check


def read_write(run: Interleaving) -> Check:
    lock, readers, writers = ReadWriteLock("rw"), Inside(2), Inside()

    def read() -> None:
        with lock.read:
            readers.pass_through()
            assert writers.now == 0

    def write() -> None:
        with lock.write:
            writers.pass_through()
            assert readers.now == 0

    def write_at_once() -> None:
        if lock.write.try_acquire():
            writers.pass_through()
            assert readers.now == 0
            lock.write.release()

    run.thread(read)
    run.thread(write)
    run.thread(write_at_once)

    def check() -> None:
        assert (readers.entries, writers.entries >= 1) == (1, True)
        assert lock.write.try_acquire()
        assert_nobody_waits()

    return check


def a_reader_that_stays(run: Interleaving) -> Check:
    lock, reads = ReadWriteLock("rw"), []

    def read() -> None:
        with lock.read:
            reads.append(1)
            run.sleep(1.0)
            reads.pop()

    def write_at_once() -> None:
        if lock.write.try_acquire():
            assert not reads, "a writer is inside with a reader"
            lock.write.release()

    run.thread(write_at_once)
    run.thread(read)
    return lambda: None


def a_late_writer(run: Interleaving) -> Check:
    lock, room = ReadWriteLock("rw"), []

    def read() -> None:
        with lock.read:
            room.append("read")

    def write() -> None:
        try:
            lock.write.acquire(timeout_s=1.0)
        except DeadlineExceeded:
            return
        lock.write.release()

    run.thread(read)
    run.thread(write)
    run.thread(read)

    def check() -> None:
        assert room == ["read", "read"]
        assert lock.write.try_acquire()

    return check


def condition(run: Interleaving) -> Check:
    lock, items, taken = Mutex("m"), [], []
    arrived = Condition(lock)

    def take() -> None:
        with lock:
            while not items:
                arrived.wait()
            taken.append(items.pop())

    def put() -> None:
        with lock:
            items.append(1)
            arrived.notify()

    run.thread(take)
    run.thread(put)

    def check() -> None:
        assert taken == [1]
        assert lock.try_acquire()
        assert_nobody_waits()

    return check


def a_notified_one_that_is_late(run: Interleaving) -> Check:
    """One notification, and two who sleep: it reaches one of them, however late the hasty one is."""
    lock, woken, is_past = Mutex("m"), [], []
    arrived = Condition(lock)

    def sleep(timeout_s: float | None) -> None:
        with lock:
            if is_past:
                return
            try:
                arrived.wait(timeout_s=timeout_s)
            except DeadlineExceeded:
                return
            woken.append(run.now_s())

    def notify() -> None:
        with lock:
            patient_sleeps = "thread patient" in arrived.waiters()
            arrived.notify()
        run.sleep(100.0)
        with lock:
            if patient_sleeps:
                assert woken, "the notification is lost"
            is_past.append(True)
            arrived.notify_all()

    run.thread(lambda: sleep(None), "patient")
    run.thread(lambda: sleep(1.0), "hasty")
    run.thread(notify)

    def check() -> None:
        assert lock.try_acquire()

    return check


def pool(run: Interleaving) -> Check:
    crew, done = Crew("p", 0, 1, 100, 0), []
    crew.is_watched = True  # the pacer lives for the process, and is not scripted

    def submit() -> None:
        for number in range(2):
            future = PoolFuture(crew, done.append, (number,), {})
            crew.take_on(future)
            future.result()
        crew.close()

    run.thread(submit)

    def check() -> None:
        assert done == [0, 1]
        assert crew.count == 0

    return check


def batcher(run: Interleaving) -> Check:
    rows: list[int] = []
    journal: Batcher[int] = Batcher("b", rows.extend, max_items=2, capacity=4)
    ended: list[int] = []

    def put(number: int) -> None:
        journal.put_sync(number)
        assert number in rows
        ended.append(number)
        if len(ended) == 2:
            journal.close()

    run.thread(lambda: put(1))
    run.thread(lambda: put(2))

    def check() -> None:
        assert sorted(rows) == [1, 2]

    return check


def flight_forgotten(run: Interleaving) -> Check:
    """A key forgotten on another thread, while its work lands and while its last waiter leaves."""
    flights, drawn = SingleFlight("f"), []

    async def draw() -> int:
        return 1

    async def main() -> None:
        drawn.append(await flights.run("key", draw))
        late = asyncio.ensure_future(flights.run("key", draw))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)

    def forget() -> None:
        flights.forget("key")
        flights.forget("key")

    run.tasks(main)
    run.thread(forget)

    def check() -> None:
        assert drawn == [1]
        assert flights.statistics().in_flight == 0

    return check


def resources(run: Interleaving) -> Check:
    shared = ResourcePool("r", Inside, max_size=1)

    def use() -> None:
        with shared.borrow() as resource:
            resource.pass_through()

    run.thread(use)
    run.thread(use)

    def check() -> None:
        figures = shared.statistics()
        assert (figures.in_use, figures.created_total) == (0, 1)

    return check


SCENARIOS: dict[str, Callable[[Interleaving], Check]] = {
    scenario.__name__: scenario
    for scenario in (
        mutex,
        mutex_verbs,
        mutex_with_a_late_one,
        three_at_a_mutex_one_late,
        mutex_with_a_task,
        line,
        nobody_is_overtaken_twice,
        semaphore,
        semaphore_released_by_another,
        read_write,
        a_reader_that_stays,
        a_late_writer,
        condition,
        a_notified_one_that_is_late,
        pool,
        batcher,
        flight_forgotten,
        resources,
    )
}
