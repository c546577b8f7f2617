"""What comes at a bad moment: a signal's exception, a finalizer, a task's end, a closed loop, an odd number or name."""

import asyncio
import dis
import itertools
import math
import sys
import threading

import pytest

from seawall import (
    Batcher,
    Cache,
    DeadlineExceeded,
    Deadlock,
    Misuse,
    Mutex,
    ReadWriteLock,
    Semaphore,
    SingleFlight,
    ThreadPool,
    Worker,
    configure,
    deadline,
    snapshot,
)
from seawall.locks.order import HELD

PATIENCE_S = 30.0


def moments(code) -> list[int]:
    """The bytecodes before which CPython runs signal handlers: those after a call, and the first."""
    instructions = list(dis.get_instructions(code))
    return [
        after.offset
        for before, after in itertools.pairwise(instructions)
        if before.opname in ("CALL", "RESUME", "CALL_FUNCTION_EX")
    ]


def interrupted_at(code, offset: int):
    def trace(frame, event, _):
        if frame.f_code is not code:
            return trace
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_lasti == offset:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    return trace


@pytest.mark.parametrize("level", ["named", "watched"])  # those of production
@pytest.mark.parametrize("make", [lambda: Mutex("m"), lambda: Semaphore("s", 1)])
@pytest.mark.parametrize("verb", ["__enter__", "acquire"])
def test_an_interruption_on_the_way_in_takes_nothing(level, make, verb: str) -> None:
    configure(level=level)
    lock = make()
    code = getattr(type(lock), verb).__code__
    for offset in moments(code):
        before = sys.gettrace()
        sys.settrace(interrupted_at(code, offset))
        try:
            getattr(lock, verb)()
        except KeyboardInterrupt:
            pass
        else:
            lock.release() if verb == "acquire" else lock.__exit__(None, None, None)  # that bytecode was not reached
        finally:
            sys.settrace(before)
        assert not lock.locked(), offset
        assert lock.try_acquire()
        lock.release()
        assert threading.get_ident() not in HELD


def test_what_a_task_held_when_it_ended_is_never_waited_for() -> None:
    mutex = Mutex("m")

    async def forget() -> None:
        await mutex.acquire_async()

    async def main() -> None:
        await asyncio.create_task(forget(), name="careless")
        with pytest.raises(Deadlock, match=r"held by task careless \(ended\)"):
            await mutex.acquire_async(timeout_s=PATIENCE_S)

    asyncio.run(main())
    with pytest.raises(Deadlock, match="careless"):
        mutex.acquire(timeout_s=PATIENCE_S)


def test_a_thread_that_ended_is_told_apart() -> None:
    mutex = Mutex("m")
    thread = threading.Thread(target=mutex.acquire)
    thread.start()
    thread.join()
    (holder,) = mutex.statistics().holders
    assert holder == f"thread {thread.ident} (ended)"


@pytest.mark.parametrize(
    "make",
    [
        Mutex,
        lambda name: Semaphore(name, 1),
        ReadWriteLock,
        SingleFlight,
        lambda name: Cache(name, max_items=1, fresh_s=1, stale_s=1),
        lambda name: Batcher(name, len, max_items=1, capacity=1),
        lambda name: ThreadPool(name, max_threads=1),
        lambda name: Worker(name, lambda stop: None),
    ],
)
@pytest.mark.parametrize("name", ["", None, 7, b"m"])
def test_a_name_is_text(make, name) -> None:
    with pytest.raises(Misuse, match="name"):
        make(name)
    snapshot()


@pytest.mark.parametrize("timeout_s", [0, 0.0, -1, -math.inf, math.nan])
def test_a_time_out_of_nothing_or_less_does_not_wait(timeout_s: float) -> None:
    mutex = Mutex("m")
    mutex.acquire()

    def late() -> None:
        with pytest.raises(DeadlineExceeded):
            mutex.acquire(timeout_s=timeout_s)

    async def late_async() -> None:
        with pytest.raises(DeadlineExceeded):
            await mutex.acquire_async(timeout_s=timeout_s)
        with deadline(timeout_s), pytest.raises(DeadlineExceeded):
            await mutex.acquire_async()

    for run in (late, lambda: asyncio.run(late_async())):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    mutex.release()


@pytest.mark.parametrize("in_deadline", [False, True])
def test_for_ever_is_as_good_as_none(in_deadline: bool) -> None:
    slots = Semaphore("s", 0)

    async def main() -> None:
        with deadline(math.inf if in_deadline else None):
            waits = asyncio.create_task(slots.acquire_async(timeout_s=math.inf))
        await asyncio.sleep(0)
        slots.release()
        await waits

    asyncio.run(main())
    with deadline(math.inf):
        slots.release()
        slots.acquire(timeout_s=math.inf)


def test_the_finalizer_of_a_kept_value_may_ask_the_cache() -> None:
    cache = Cache("c", max_items=1, fresh_s=0, stale_s=60)
    asked: list[int] = []

    class Value:
        def __del__(self) -> None:
            asked.append(cache.statistics().items)

    async def make() -> Value:
        return Value()

    async def main() -> None:
        await cache.get("a", make)
        await cache.get("b", make)  # drops the first
        await cache.get("b", make)  # makes it anew
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cache.forget("b")

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "it waits for itself"
    assert len(asked) >= 2


def test_flights_of_closed_loops_are_forgotten() -> None:
    flights = SingleFlight("f")

    def leave_open() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(flights.run("key", lambda: asyncio.sleep(60)))
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.call_soon(loop.stop)
        loop.run_forever()
        tasks.extend((task, *asyncio.all_tasks(loop)))
        loop.close()

    tasks: list[asyncio.Task[object]] = []
    for _ in range(200):
        leave_open()
    assert flights.statistics().in_flight <= 130
    for task in tasks:
        task._log_destroy_pending = False


def test_twenty_thousand_waiters_all_come_in_and_in_order() -> None:
    slots, order = Semaphore("s", 0), []

    async def main() -> None:
        async def enter(number: int) -> None:
            await slots.acquire_async()
            order.append(number)

        tasks = [asyncio.create_task(enter(number)) for number in range(20_000)]
        await asyncio.sleep(0)
        for task in tasks[::1000]:
            task.cancel()
        slots.release(20_000)
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert order == [number for number in range(20_000) if number % 1000]
    assert slots.statistics().free == 20
