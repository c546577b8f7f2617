"""A thread that is looked after: it has a name, an owner, a stop, and is started again when it fails."""

from __future__ import annotations

from collections.abc import Callable

from seawall.clock import SYSTEM_CLOCK
from seawall.core.statistics import WorkerStatistics
from seawall.errors import DeadlineExceeded, Misuse
from seawall.observe.registry import REGISTRY
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.name import checked_name
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawLock, Thread, join, spawn
from seawall.runtime.who import get_ident

FIRST_BACK_OFF_S = 0.05
"""Long enough not to spin, short enough that one stray failure is not noticed."""

LONGEST_BACK_OFF_S = 5.0
"""A cause that goes away by itself (a full disk, a store that restarts) is seen to be gone within that."""


class Stop:
    """What a worker's `run` looks at between two pieces of work."""

    __slots__ = ("_is_set", "_parker")

    def __init__(self) -> None:
        self._is_set = False
        self._parker = Parker()

    def wait(self, timeout_s: float | None) -> bool:
        """Sleep until `wake`, `stop` or `timeout_s` seconds have passed. True when the worker is to end.

        A `wake` that came since the last wait ends this one at once, so none is lost.
        """
        if not self._is_set:
            self._parker.park(timeout_s)
        return self._is_set

    def is_set(self) -> bool:
        """Whether the worker is to end."""
        return self._is_set

    def _wake(self) -> None:
        self._parker.unpark()

    def _set(self) -> None:
        self._is_set = True
        self._parker.unpark()


class Worker:
    """A supervised thread around `run(stop)`, which works until `stop` says that it is to end, and then returns.

    When `run` raises, the exception is counted and kept for `snapshot()`, and `run` is called again after a back-off
    that doubles from 0.05 to 5 seconds while the failures follow on each other. When `run` returns, the worker ends.

    >>> def run(stop: Stop) -> None:
    ...     while not stop.wait(timeout_s=60):
    ...         pass  # what is due every minute, or on wake()
    >>> worker = Worker("rollups", run)
    >>> worker.start()
    >>> worker.stop(timeout_s=5)
    """

    def __init__(self, name: str, run: Callable[[Stop], None]) -> None:
        self.name = checked_name(name)
        self._run = run
        self._stop = Stop()
        self._guard = RawLock()
        self._thread: Thread | None = None  # guarded by self._guard
        self._failures_total = 0  # written by the thread only
        self._last_error: str | None = None  # written by the thread only

    def start(self) -> None:
        """Start the thread. Once only: raises Misuse the second time."""
        with self._guard:
            if self._thread is not None:
                raise Misuse(f"worker {self.name}: started twice; make a new one")
            self._thread = spawn(self.name, self._supervise)
        REGISTRY.add(self)

    def wake(self) -> None:
        """Have `run`'s present or next `Stop.wait` return at once. Cheap; from any thread or task."""
        self._stop._wake()

    def stop(self, timeout_s: float | None = None) -> None:
        """Ask `run` to end and block until it has, for at most `timeout_s` seconds and within the ambient deadline.

        Raises DeadlineExceeded when it still runs then. Harmless when it never started or has ended.
        """
        self._stop._set()
        with self._guard:
            thread = self._thread
        if thread is not None and thread.ident != get_ident():
            began_s = SYSTEM_CLOCK.monotonic()
            if not join(thread, wait_limit_s(timeout_s)):
                raise DeadlineExceeded(f"worker {self.name}", SYSTEM_CLOCK.monotonic() - began_s)
        REGISTRY.remove(self)

    def statistics(self) -> WorkerStatistics:
        """Whether it runs, and what went wrong."""
        with self._guard:
            thread = self._thread
        return WorkerStatistics(
            name=self.name,
            is_running=thread is not None and thread.is_alive(),
            failures_total=self._failures_total,
            last_error=self._last_error,
        )

    def _supervise(self) -> None:
        try:
            self._run_until_done()
        except BaseException as error:  # noqa: BLE001 - raised into this thread from outside, between two runs
            self._note(error)
            with self._guard:
                self._thread = spawn(self.name, self._supervise)

    def _run_until_done(self) -> None:
        back_off_s = FIRST_BACK_OFF_S
        while True:
            began_s = SYSTEM_CLOCK.monotonic()
            try:
                self._run(self._stop)
                return
            except BaseException as error:  # noqa: BLE001 - a supervisor: nothing may end the thread silently
                self._note(error)
            if self._stop.is_set():
                return
            if SYSTEM_CLOCK.monotonic() - began_s > LONGEST_BACK_OFF_S:
                back_off_s = FIRST_BACK_OFF_S
            self._back_off(back_off_s)
            back_off_s = min(2 * back_off_s, LONGEST_BACK_OFF_S)

    def _note(self, error: BaseException) -> None:
        self._failures_total += 1
        self._last_error = f"{type(error).__name__}: {error}"

    def _back_off(self, for_s: float) -> None:
        until_s = SYSTEM_CLOCK.monotonic() + for_s
        while (left_s := until_s - SYSTEM_CLOCK.monotonic()) > 0:
            if self._stop.wait(left_s):
                return
        self._stop._wake()  # one may have come during the back-off
