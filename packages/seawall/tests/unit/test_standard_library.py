"""Where a name is shared with the standard library: the same scenarios on its objects and on ours.

What differs is in `DIFFERS`, each with its reason, and in docs/reference/standard-library.md, which a test compares.
"""

import asyncio
import copy
import pickle
import re
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    CancelledError,
    Executor,
    Future,
    InvalidStateError,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from pathlib import Path

import pytest

from seawall import Condition, DeadlineExceeded, Deadlock, Misuse, Mutex, Overloaded, Semaphore, ThreadPool

PATIENCE_S = 30.0
PAGE = Path(__file__).parents[4] / "docs" / "reference" / "standard-library.md"

DIFFERS = {
    "a wait that is late raises": "`acquire` and `wait` return None and raise `DeadlineExceeded`",
    "time-outs are keywords in seconds": "`timeout_s`",
    "no blocking flag": "`try_acquire()`",
    "entering again is refused": "`Deadlock`",
    "only the holder may leave a mutex": "`Misuse`",
    "no wait_for": "`wait_for`",
    "a condition has no verbs of its own": "no `acquire`",
    "notify outside is Misuse": "`notify`",
    "release counts from 1": "`Misuse` where the standard library has `ValueError`",
    "first come, first served": "first come, first served",
    "a full queue is refused": "`Overloaded`",
    "no initializer": "`initializer`",
    "max_workers is max_threads": "`max_threads`",
    "a pool grows by need": "on demand",
    "result ends with the ambient deadline": "ambient deadline",
    "a cancelled future leaves the queue": "leaves the queue",
    "a pool's future is ended by its pool": "`set_result`",
    "work of the same pool may run inline": "carries it out itself",
    "work sees the submitter's context": "context variables",
    "the threads are daemons": "daemons",
}


def test_the_page_names_every_difference() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [what for what, words in DIFFERS.items() if words not in text]
    assert missing == []


def in_thread(run: Callable[[], object]) -> list[object]:
    """What `run` came to on another thread."""
    outcome: list[object] = []

    def carry_out() -> None:
        try:
            outcome.append(run())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=carry_out, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert outcome, "it hangs"
    return outcome


# Locks.

MUTEXES = {"stdlib": threading.Lock, "seawall": lambda: Mutex("m")}
SEMAPHORES = {"stdlib": threading.Semaphore, "seawall": lambda permits: Semaphore("s", permits)}
LATE = {"stdlib": lambda lock: lock.acquire(timeout=0.001), "seawall": lambda lock: lock.acquire(timeout_s=0.001)}
NOW = {"stdlib": lambda lock: lock.acquire(blocking=False), "seawall": lambda lock: lock.try_acquire()}


@pytest.fixture(params=["stdlib", "seawall"])
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_lock_is_held_inside_its_block_and_free_after_it_also_after_an_error(side: str) -> None:
    lock = MUTEXES[side]()
    with lock:
        assert lock.locked()
    assert not lock.locked()
    with pytest.raises(KeyError), lock:
        raise KeyError
    assert not lock.locked()


def test_a_lock_that_is_held_cannot_be_taken_by_another_until_it_is_released(side: str) -> None:
    lock = MUTEXES[side]()
    lock.acquire()
    assert in_thread(lambda: NOW[side](lock)) == [False]
    lock.release()
    assert in_thread(lambda: (NOW[side](lock), lock.release())[0]) == [True]


def test_a_late_wait_takes_nothing(side: str) -> None:
    lock = MUTEXES[side]()
    lock.acquire()
    (outcome,) = in_thread(lambda: LATE[side](lock))
    if side == "stdlib":
        assert outcome is False
    else:
        assert isinstance(outcome, DeadlineExceeded)
        assert isinstance(outcome, TimeoutError)
    lock.release()
    assert NOW[side](lock)


def test_releasing_a_lock_that_nobody_holds_is_an_error(side: str) -> None:
    with pytest.raises(RuntimeError if side == "stdlib" else Misuse):
        MUTEXES[side]().release()


def test_only_the_standard_librarys_lock_may_be_released_by_another_thread(side: str) -> None:
    lock = MUTEXES[side]()
    lock.acquire()
    (outcome,) = in_thread(lock.release)
    assert outcome is None if side == "stdlib" else isinstance(outcome, Misuse)


def test_entering_again_is_refused_where_the_standard_library_hangs() -> None:
    lock = Mutex("m")
    with lock, pytest.raises(Deadlock):
        lock.acquire()


def test_a_lock_can_be_neither_copied_nor_pickled(side: str) -> None:
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickle"):
            take(MUTEXES[side]())


def test_a_semaphore_lets_in_so_many_and_may_be_released_by_anyone_above_its_value(side: str) -> None:
    slots = SEMAPHORES[side](2)
    assert [NOW[side](slots) for _ in range(3)] == [True, True, False]
    in_thread(lambda: slots.release(3))
    assert [NOW[side](slots) for _ in range(4)] == [True, True, True, False]
    slots.release()
    with slots:
        assert not NOW[side](slots)


def test_a_semaphore_refuses_less_than_nothing(side: str) -> None:
    error = ValueError if side == "stdlib" else Misuse
    with pytest.raises(error):
        SEMAPHORES[side](-1)
    with pytest.raises(error):
        SEMAPHORES[side](1).release(0)


def test_a_semaphore_of_none_waits_for_the_first_release(side: str) -> None:
    slots = SEMAPHORES[side](0)
    thread = threading.Thread(target=slots.acquire, daemon=True)
    thread.start()
    slots.release()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def conditions(side: str) -> tuple[object, object]:
    if side == "stdlib":
        condition = threading.Condition(threading.Lock())
        return condition, condition
    mutex = Mutex("m")
    return mutex, Condition(mutex)


@pytest.mark.parametrize(("told", "woken"), [(1, 1), (2, 2), (0, 0), (9, 3), (None, 3)])
def test_a_condition_wakes_as_many_as_it_is_told_first_come_first_served(
    side: str, told: int | None, woken: int
) -> None:
    lock, condition = conditions(side)
    asleep: list[int] = []
    awake: list[int] = []

    def sleep(number: int) -> None:
        with lock:
            asleep.append(number)
            condition.wait()
            awake.append(number)

    def until(is_so: Callable[[], bool]) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            with lock:
                if is_so():
                    return
            time.sleep(0.001)
        raise AssertionError("it does not come")

    threads = [threading.Thread(target=sleep, args=(number,), daemon=True) for number in range(3)]
    for number, thread in enumerate(threads):
        thread.start()
        until(lambda number=number: len(asleep) == number + 1)
    with lock:
        if told is None:
            condition.notify_all()
        else:
            condition.notify(told)
    until(lambda: len(awake) == woken)
    with lock:
        assert sorted(awake) == list(range(woken))
        condition.notify_all()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(awake) == [0, 1, 2]


def test_a_condition_that_is_late_is_back_inside(side: str) -> None:
    lock, condition = conditions(side)
    with lock:
        if side == "stdlib":
            assert condition.wait(0.001) is False
        else:
            with pytest.raises(DeadlineExceeded):
                condition.wait(timeout_s=0.001)
        assert in_thread(lambda: NOW[side](lock)) == [False]


def test_a_condition_outside_of_its_lock_is_an_error(side: str) -> None:
    _, condition = conditions(side)
    for verb in (condition.notify, condition.notify_all, condition.wait):
        with pytest.raises(RuntimeError if side == "stdlib" else Misuse):
            verb()


def test_tasks_come_first_come_first_served_and_a_cancelled_one_takes_nothing(side: str) -> None:
    async def main() -> list[str]:
        lock = asyncio.Lock() if side == "stdlib" else Mutex("m")
        order: list[str] = []

        async def enter(name: str) -> None:
            async with lock:
                order.append(name)
                await asyncio.sleep(0)

        async with lock:
            tasks = [asyncio.create_task(enter(name)) for name in "abcd"]
            await asyncio.sleep(0)
            tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not lock.locked()
        return order

    assert asyncio.run(main()) == ["a", "c", "d"]


def test_a_task_that_is_cancelled_in_the_turn_in_which_it_is_let_in_passes_it_on(side: str) -> None:
    async def main() -> None:
        lock = asyncio.Semaphore(1) if side == "stdlib" else Semaphore("s", 1)
        await (lock.acquire() if side == "stdlib" else lock.acquire_async())
        take = lock.acquire if side == "stdlib" else lock.acquire_async
        first, second = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
        lock.release()
        first.cancel()
        await asyncio.wait_for(second, PATIENCE_S)
        assert first.cancelled()

    asyncio.run(main())


# Pools.

POOLS: dict[str, Callable[[int], Executor]] = {
    "stdlib": lambda threads: ThreadPoolExecutor(threads),
    "seawall": lambda threads: ThreadPool("p", max_threads=threads),
}


@pytest.fixture
def pool(side: str) -> Iterator[Executor]:
    with POOLS[side](2) as made:
        yield made


@pytest.fixture
def one(side: str) -> Iterator[Executor]:
    with POOLS[side](1) as made:
        yield made


def boom(value: object = None) -> None:
    raise KeyError(value)


def busy(pool: Executor) -> tuple[Future[bool], threading.Event]:
    """Work that takes up one thread until it is let go."""
    begun, go_on = threading.Event(), threading.Event()
    future = pool.submit(lambda: begun.set() or go_on.wait(PATIENCE_S))
    assert begun.wait(PATIENCE_S)
    return future, go_on


def test_a_result_an_error_and_its_traceback_come_through(pool: Executor) -> None:
    assert pool.submit(pow, 2, exp=3).result() == 8
    failed = pool.submit(boom, 7)
    with pytest.raises(KeyError) as caught:
        failed.result()
    assert caught.value is failed.exception()
    assert "boom" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert pool.submit(abs, -1).exception() is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration])
def test_whatever_work_raises_is_its_results_and_the_thread_goes_on(one: Executor, error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    assert isinstance(one.submit(fail).exception(PATIENCE_S), error)
    assert one.submit(abs, -1).result(PATIENCE_S) == 1


def test_map_gives_results_in_order_and_raises_where_the_failed_one_comes(pool: Executor) -> None:
    assert list(pool.map(pow, [2, 3], [3, 2])) == [8, 9]
    assert list(pool.map(abs, [], timeout=0)) == []
    assert list(pool.map(abs, range(-5, 0), chunksize=2)) == [5, 4, 3, 2, 1]
    results = pool.map(lambda n: 1 // n, [1, 0, 2])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_map_that_is_late_raises_and_cancels_the_rest(one: Executor) -> None:
    _, go_on = busy(one)
    ran: list[int] = []
    results = one.map(ran.append, [1, 2], timeout=0.001)
    with pytest.raises(TimeoutError):
        next(results)
    go_on.set()
    assert one.submit(abs, -1).result(PATIENCE_S) == 1
    assert ran == []


def test_a_late_result_raises_and_the_work_goes_on(one: Executor) -> None:
    future, go_on = busy(one)
    for ask in (future.result, future.exception):
        with pytest.raises(TimeoutError):
            ask(0.001)
    assert future.running()
    go_on.set()
    assert future.result(PATIENCE_S) is True


def test_queued_work_can_be_cancelled_and_begun_work_cannot(one: Executor) -> None:
    begun, go_on = busy(one)
    queued = one.submit(abs, -1)
    assert (begun.cancel(), queued.cancel(), queued.cancel()) == (False, True, True)
    assert (queued.cancelled(), queued.done(), queued.running()) == (True, True, False)
    for ask in (queued.result, queued.exception):
        with pytest.raises(CancelledError):
            ask()
    go_on.set()
    assert begun.result(PATIENCE_S) is True
    assert not begun.cancel()


def test_callbacks_come_in_order_an_error_in_one_is_logged_and_late_ones_are_called_at_once(
    one: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    future, go_on = busy(one)
    heard: list[object] = []
    future.add_done_callback(lambda f: heard.append(("first", f is future)))
    future.add_done_callback(boom)
    future.add_done_callback(lambda f: heard.append(("second", f.done())))
    go_on.set()
    future.result(PATIENCE_S)
    one.submit(abs, -1).result(PATIENCE_S)  # on the thread that calls them, after them
    future.add_done_callback(lambda _: heard.append(threading.current_thread() is threading.main_thread()))
    assert heard == [("first", True), ("second", True), True]
    assert "exception calling callback" in caplog.text


def test_a_cancelled_futures_callbacks_are_called_by_whoever_cancels(one: Executor) -> None:
    _, go_on = busy(one)
    queued, heard = one.submit(abs, -1), []
    queued.add_done_callback(lambda f: heard.append(f.cancelled()))
    queued.cancel()
    assert heard == [True]
    go_on.set()


def test_wait_and_as_completed_see_what_is_done(pool: Executor) -> None:
    slow, go_on = busy(pool)
    quick = pool.submit(abs, -1)
    done, not_done = wait([slow, quick], PATIENCE_S, FIRST_COMPLETED)
    assert (done, not_done) == ({quick}, {slow})
    assert wait([slow, pool.submit(boom)], PATIENCE_S, FIRST_EXCEPTION).not_done == {slow}
    assert next(as_completed([slow, quick], PATIENCE_S)) is quick
    with pytest.raises(TimeoutError):
        list(as_completed([slow], 0.001))
    go_on.set()
    assert wait([slow, quick], PATIENCE_S, ALL_COMPLETED).not_done == set()
    assert set(as_completed([slow, quick], PATIENCE_S)) == {slow, quick}


def test_a_pool_that_is_shut_down_takes_no_more_and_may_be_shut_down_again(side: str) -> None:
    pool = POOLS[side](1)
    pool.shutdown()
    pool.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(RuntimeError):
        pool.submit(abs, -1)
    with pytest.raises(RuntimeError):
        pool.map(abs, [1])


def test_shutdown_carries_out_what_is_queued_or_cancels_it(side: str) -> None:
    for cancels in (False, True):
        pool = POOLS[side](1)
        first, go_on = busy(pool)
        queued = pool.submit(abs, -1)
        pool.shutdown(wait=False, cancel_futures=cancels)
        assert queued.cancelled() is cancels
        go_on.set()
        pool.shutdown()
        assert (first.done(), queued.done()) == (True, True)


def test_the_end_of_the_block_waits_for_the_work(side: str) -> None:
    with POOLS[side](2) as pool:
        futures = [pool.submit(time.sleep, 0.001) for _ in range(10)]
    assert all(future.done() for future in futures)


@pytest.mark.parametrize("made", ["ThreadPoolExecutor(1)", "seawall.ThreadPool('p', max_threads=1)"])
def test_what_was_submitted_is_carried_out_before_the_interpreter_ends(made: str) -> None:
    program = f"""
        import seawall, time
        from concurrent.futures import ThreadPoolExecutor
        pool = {made}
        pool.submit(time.sleep, 0.05)
        pool.submit(print, "carried out")
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert (ran.stdout, ran.stderr) == ("carried out\n", "")


def test_a_loop_can_use_it_as_an_executor(pool: Executor) -> None:
    async def main() -> object:
        loop = asyncio.get_running_loop()
        with pytest.raises(KeyError):
            await loop.run_in_executor(pool, boom)
        return await asyncio.wrap_future(pool.submit(abs, -3)) + await loop.run_in_executor(pool, abs, -4)

    assert asyncio.run(main()) == 7


def test_a_futures_outcome_is_set_once(pool: Executor) -> None:
    future = pool.submit(abs, -1)
    future.result(PATIENCE_S)
    with pytest.raises(InvalidStateError):
        future.set_result(2)
    with pytest.raises(InvalidStateError):
        future.set_exception(KeyError())


def test_a_futures_repr_says_how_it_stands(one: Executor) -> None:
    running, go_on = busy(one)
    queued = one.submit(abs, -1)
    cancelled = one.submit(abs, -1)
    cancelled.cancel()
    states = [re.search(r"state=(\w+)", repr(future)) for future in (running, queued, cancelled)]
    assert [state and state[1] for state in states] == ["running", "pending", "cancelled"]
    go_on.set()
    queued.result(PATIENCE_S)
    assert repr(queued).endswith("state=finished returned int>")
    failed = one.submit(boom)
    failed.exception(PATIENCE_S)
    assert repr(failed).endswith("state=finished raised KeyError>")


# Ours alone.


def test_a_full_queue_is_refused_where_the_standard_library_has_no_limit() -> None:
    with ThreadPool("p", max_threads=1, queue_limit=1) as pool:
        _, go_on = busy(pool)
        ran: list[int] = []
        with pytest.raises(Overloaded):
            pool.map(ran.append, [1, 2, 3])
        go_on.set()
