"""The pool's future keeps to what `concurrent.futures` promises."""

import asyncio
import concurrent.futures
import threading
from concurrent.futures import CancelledError, InvalidStateError

import pytest

from seawall import ThreadPool


class Held:
    """Work that says when it has begun and ends when it may."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(30)
        return "held"


def test_its_states_are_those_of_the_standard_library() -> None:
    held = Held()
    with ThreadPool("p", max_threads=1) as pool:
        first, second = pool.submit(held), pool.submit(abs, -1)
        assert held.begun.wait(30)
        assert (first.running(), first.done(), second.running(), second.done()) == (True, False, False, False)
        assert "running" in repr(first)
        assert "pending" in repr(second)
        assert not first.cancel()
        assert second.cancel()
        assert second.cancel()
        assert second.cancelled()
        assert second.done()
        with pytest.raises(CancelledError):
            second.result()
        with pytest.raises(CancelledError):
            second.exception()
        with pytest.raises(concurrent.futures.TimeoutError):
            first.result(0)
        held.go_on.set()
        assert first.result(30) == "held"
        assert first.exception(30) is None
        assert not first.cancel()
        assert "finished returned str" in repr(first)
        assert "cancelled" in repr(second)
        failed = pool.submit(divmod, 1, 0)
        assert isinstance(failed.exception(30), ZeroDivisionError)
        assert "raised ZeroDivisionError" in repr(failed)


def test_callbacks_run_once_in_order_and_an_error_in_one_stops_no_other(caplog) -> None:
    held, heard = Held(), []
    with ThreadPool("p", max_threads=1) as pool:
        future = pool.submit(held)
        future.add_done_callback(lambda f: heard.append(("first", f.result(0))))
        future.add_done_callback(lambda f: 1 / 0)
        future.add_done_callback(lambda f: heard.append(("last", f.result(0))))
        held.go_on.set()
    future.add_done_callback(lambda f: heard.append(("late", f.result(0))))
    assert heard == [("first", "held"), ("last", "held"), ("late", "held")]
    assert "exception calling callback" in caplog.text


@pytest.mark.parametrize("when", ["ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION"])
def test_wait_and_as_completed_see_each_future_end_once(when: str) -> None:
    with ThreadPool("p", max_threads=3) as pool:
        for _ in range(50):
            futures = [pool.submit(divmod, 1, n) for n in range(5)]
            done, pending = concurrent.futures.wait(futures, timeout=30, return_when=when)
            assert done
            assert pending == set() or when != "ALL_COMPLETED"
            assert set(concurrent.futures.as_completed(futures, timeout=30)) == set(futures)


def test_many_wait_for_one_and_all_are_told() -> None:
    held = Held()
    with ThreadPool("p", max_threads=1) as pool:
        future = pool.submit(held)
        heard: list[object] = []
        waiters = [threading.Thread(target=lambda: heard.append(future.result(30))) for _ in range(5)]
        waiters.append(threading.Thread(target=lambda: heard.append(concurrent.futures.wait([future], 30).done)))
        for waiter in waiters:
            waiter.start()

        async def wrapped() -> None:
            heard.append(await asyncio.wrap_future(future))

        waiters.append(threading.Thread(target=lambda: asyncio.run(wrapped())))
        waiters[-1].start()
        held.go_on.set()
        for waiter in waiters:
            waiter.join(30)
    assert sorted(map(str, heard)) == sorted(["held"] * 6 + [str({future})])


def test_its_end_is_the_pools_alone() -> None:
    with ThreadPool("p", max_threads=1) as pool:
        future = pool.submit(abs, -1)
        for outside in (
            lambda: future.set_result(2),
            lambda: future.set_exception(ValueError()),
            lambda: future.set_running_or_notify_cancel(),
        ):
            with pytest.raises(InvalidStateError):
                outside()
        assert future.result(30) == 1
