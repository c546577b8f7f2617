"""The pool grows where threads help, not where they would fight for the GIL, and shrinks for real."""

import threading

import pytest

from seawall import ThreadPool
from seawall.core.sizing import Machine
from seawall.pools import member
from seawall.pools.crew import Crew
from seawall.pools.future import PoolFuture
from seawall.testing import Held, no_more_threads

QUIET = Machine(lateness_s=0.0, late_from_s=0.004, cpu_share=0.1)
LATE = Machine(lateness_s=0.006, late_from_s=0.004, cpu_share=0.9)
CROWDED = Machine(lateness_s=0.05, late_from_s=0.004, cpu_share=0.9)


def bounded_wait(is_so) -> None:
    pause = threading.Event()
    for _ in range(6000):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to be")


def test_blocking_work_gets_as_many_threads_as_may_be_each_with_its_reason() -> None:
    together = threading.Barrier(12)
    with ThreadPool("p", max_threads=12) as pool:
        futures = [pool.submit(together.wait, 30) for _ in range(12)]  # ends only when all 12 have begun
        assert sorted(future.result(30) for future in futures) == list(range(12))
        decisions = pool.statistics().decisions  # on a busy machine there may be vetoes among them
        assert any(growth.after == growth.before + 1 for growth in decisions)
        assert all(growth.reason for growth in decisions)


class Stuck:
    """A crew whose eager threads are all held, without the pacer: the test looks itself."""

    def __init__(self, max_threads: int) -> None:
        self.crew = Crew("p", 1, max_threads, 100, 0)
        self.crew.is_watched = True
        self.go_on = threading.Event()
        for _ in range(self.crew.eager + 5):
            self.crew.take_on(PoolFuture(self.crew, self.go_on.wait, (30,), {}))
        bounded_wait(lambda: self.crew.statistics().busy == self.crew.eager)
        self.now_s = self.crew.queue[0].since_s

    def look(self, machine: Machine, after_s: float = 0.01) -> int:
        self.now_s += after_s
        self.crew.look(self.now_s, machine)
        return self.crew.allowed

    def end(self) -> None:
        self.go_on.set()
        self.crew.close()
        self.crew.join_all()


def test_the_probe_vetoes_growth_that_would_only_feed_the_gil() -> None:
    stuck = Stuck(max_threads=64)
    try:
        stuck.look(QUIET)  # finds that the eager ones have begun
        before = stuck.crew.allowed
        assert [stuck.look(LATE) for _ in range(20)] == [before] * 20
        assert stuck.crew.statistics().decisions[-1].reason == "veto: threads wait for the GIL"
        assert stuck.look(QUIET) == before + 1
        bounded_wait(lambda: stuck.crew.statistics().busy == before + 1)
        assert stuck.look(CROWDED) == before
    finally:
        stuck.end()


def test_idle_threads_retire_down_to_min_threads(monkeypatch) -> None:
    monkeypatch.setattr(member, "IDLE_S", 0.01)
    together = threading.Barrier(6)
    with ThreadPool("p", min_threads=1, max_threads=6) as pool:
        for future in [pool.submit(together.wait, 30) for _ in range(6)]:
            future.result(30)
        bounded_wait(lambda: pool.statistics().threads == 1)
        for future in [pool.submit(together.wait, 30) for _ in range(6)]:  # and it grows again
            future.result(30)


def test_the_newest_idle_thread_is_taken_first() -> None:
    with ThreadPool("p", max_threads=2) as pool:
        together = threading.Barrier(2)
        for future in [pool.submit(together.wait, 30) for _ in range(2)]:
            future.result(30)
        idle = pool._crew.idle
        bounded_wait(lambda: len(idle) == 2)
        newest = idle[-1]
        names = set()
        for _ in range(20):
            names.add(pool.submit(lambda: threading.current_thread().name).result(30))
            bounded_wait(lambda: len(idle) == 2)
        assert names == {newest.name}


def test_no_more_threads_from_the_system_is_an_error_only_where_there_is_none_at_all() -> None:
    with ThreadPool("p", max_threads=2) as pool:
        with no_more_threads(), pytest.raises(RuntimeError, match="can't start"):
            pool.submit(abs, -1)
        assert pool.statistics().queued == 0
        held = Held("held")
        first = pool.submit(held)
        held.wait_begun()
        with no_more_threads():
            second = pool.submit(abs, -1)  # the one there is comes to it
        held.let_go()
        assert (first.result(30), second.result(30)) == ("held", 1)
