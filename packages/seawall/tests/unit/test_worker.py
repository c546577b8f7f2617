import threading

import pytest

from seawall import DeadlineExceeded, Misuse, Stop, Worker


def test_it_runs_until_it_is_stopped_and_is_woken_early() -> None:
    rounds, seen = [], threading.Event()

    def run(stop: Stop) -> None:
        while not stop.wait(3600):
            rounds.append(stop.is_set())
            seen.set()

    worker = Worker("w", run)
    worker.start()
    worker.wake()
    assert seen.wait(10)
    assert worker.statistics().is_running
    worker.stop(timeout_s=10)
    assert not worker.statistics().is_running
    assert rounds == [False]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_run_is_called_again_after_it_raised_whatever_it_was(error) -> None:
    calls, again = [], threading.Event()

    def run(stop: Stop) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise error
        again.set()
        stop.wait(None)

    worker = Worker("w", run)
    worker.start()
    assert again.wait(10)
    worker.stop(timeout_s=10)
    assert worker.statistics().failures_total == 1
    assert type(error).__name__ in (worker.statistics().last_error or "")


def test_a_wake_during_the_back_off_is_not_lost() -> None:
    failed, woken = threading.Event(), threading.Event()

    def run(stop: Stop) -> None:
        if not failed.is_set():
            failed.set()
            raise ValueError("once")
        stop.wait(3600)
        woken.set()

    worker = Worker("w", run)
    worker.start()
    assert failed.wait(10)
    worker.wake()
    assert woken.wait(10)
    worker.stop(timeout_s=10)


def test_stop_says_when_run_does_not_end_in_time() -> None:
    go_on = threading.Event()
    worker = Worker("w", lambda stop: go_on.wait(10) and None)
    worker.start()
    with pytest.raises(DeadlineExceeded):
        worker.stop(timeout_s=0.01)
    go_on.set()
    worker.stop(timeout_s=10)


def test_starting_twice_is_misuse_and_stopping_what_never_started_is_harmless() -> None:
    worker = Worker("w", lambda stop: None)
    worker.stop()
    worker.start()
    with pytest.raises(Misuse):
        worker.start()
    worker.stop(timeout_s=10)


def test_a_thread_that_dies_between_two_runs_is_replaced() -> None:
    again = threading.Event()

    class Fragile(Worker):
        """Its thread is killed from outside during its first back-off."""

        deaths = 0

        def _back_off(self, for_s: float) -> None:
            self.deaths += 1
            if self.deaths == 1:
                raise SystemExit
            super()._back_off(for_s)

    def run(stop: Stop) -> None:
        if worker.deaths == 0:
            raise ValueError("once")
        again.set()
        stop.wait(None)

    worker = Fragile("w", run)
    worker.start()
    assert again.wait(10)
    worker.stop(timeout_s=10)
    assert not worker.statistics().is_running
