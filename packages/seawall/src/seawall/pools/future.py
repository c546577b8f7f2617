"""The future that `ThreadPool.submit` returns: the standard library's, without its lock.

`concurrent.futures.Future` makes a condition variable for each future and takes it at every step, which is most of what
a short call costs. Here all that happens to a future is one list, its log: waiters append themselves, and its end
appends a seal. Appending is atomic, so everyone agrees on what came before the seal and is to be told, and what came
after it and need not wait. `concurrent.futures.wait` and `as_completed` look at the inside of futures and lock them: a
future that they look at gets a condition at that moment, and from then on its state changes under it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from typing import TYPE_CHECKING, Protocol

from seawall.clock import SYSTEM_CLOCK
from seawall.errors import DeadlineExceeded
from seawall.observe.server_timing import note_queued
from seawall.pools.nesting import wait_for_end
from seawall.pools.work import surroundings
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawCondition

if TYPE_CHECKING:
    from seawall.pools.crew import Crew

_LOG = logging.getLogger("seawall.pools")
_SEAL = object()
_GONE = object()
_now_s = SYSTEM_CLOCK.monotonic


class _Observer(Protocol):
    """What `concurrent.futures.wait` installs."""

    def add_result(self, future: Future[object]) -> None: ...
    def add_exception(self, future: Future[object]) -> None: ...
    def add_cancelled(self, future: Future[object]) -> None: ...


class PoolFuture(Future[object]):
    """A future of a `ThreadPool`, and the work itself. Cancelling it takes it out of the queue."""

    _result: object = None
    _exception: BaseException | None = None
    _is_begun = False
    _is_cancelled = False
    _is_told = False

    def __init__(
        self,
        crew: Crew,
        fn: Callable[..., object],
        args: tuple[object, ...],
        kwargs: dict[str, object],
        is_cleanup: bool = False,
    ) -> None:
        # Not the base class's: see the module.
        self._log: list[object] = []
        self._call: tuple[Callable[..., object], tuple[object, ...], dict[str, object]] | None = (fn, args, kwargs)
        self._context, self._until_s = surroundings(is_cleanup)
        self.crew = crew
        self.since_s = _now_s()

    # What the pool's threads do.

    def carry_out(self) -> None:
        """See `Work`."""
        self._is_begun = True
        call, self._call = self._call, None
        assert call is not None
        note_queued(self._context, "pool", self.crew.name, self.since_s)
        until_s = self._until_s
        try:
            if until_s is not None and SYSTEM_CLOCK.monotonic() >= until_s:
                raise DeadlineExceeded(f"pool {self.crew.name}", _now_s() - self.since_s)
            fn, args, kwargs = call
            self._result = self._context.run(fn, *args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the one who waits
            self._exception = error
        self._end()
        del call  # or an idle thread would keep the arguments alive

    def drop(self) -> None:
        """See `Work`."""
        self._is_cancelled = True
        self._call = None
        self._end()

    def fail(self, error: BaseException) -> None:
        """See `Work`."""
        self._call = None
        self._exception = error
        self._end()

    # What callers do; all as in the standard library.

    def result(self, timeout: float | None = None) -> object:
        """Wait for the end and return what the function returned, or raise what it raised.

        Raises TimeoutError after `timeout` seconds, CancelledError where it was cancelled, and DeadlineExceeded at
        the ambient deadline. A worker that waits for queued work of its own full pool carries it out itself; see
        `pools.nesting`.
        """
        log = self._log
        if not log or log[0] is not _SEAL:
            wait_for_end(self, timeout)
        if self._is_cancelled:
            raise CancelledError
        if self._exception is not None:
            try:
                raise self._exception
            finally:
                del self  # break the cycle of the error's own traceback
        return self._result

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait as `result` does and return the exception, or None."""
        if not self.done():
            wait_for_end(self, timeout)
        if self._is_cancelled:
            raise CancelledError
        return self._exception

    def cancel(self) -> bool:
        """Cancel the work where it has not begun. True if it is cancelled."""
        if self._is_cancelled:
            return True
        if not self.crew.withdraw(self):
            return False
        self.drop()
        return True

    def cancelled(self) -> bool:
        """Whether it was cancelled before it began."""
        return self._is_cancelled

    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._is_begun and not self.done()

    def done(self) -> bool:
        """Whether it has ended or was cancelled."""
        return _SEAL in self._log

    def add_done_callback(self, fn: Callable[[Future[object]], object]) -> None:
        """Call `fn(self)` when it has ended: on the thread that ends it, or here where it has ended already."""
        if not self.registers((fn,)):
            self._call_back(fn)

    def set_running_or_notify_cancel(self) -> bool:
        """For executors; this one's own begins its work itself."""
        raise InvalidStateError("a pool's future is begun by its pool")

    def set_result(self, result: object) -> None:
        """For executors; this one's own sets its result itself."""
        raise InvalidStateError("a pool's future is ended by its pool")

    def set_exception(self, exception: BaseException | None) -> None:
        """For executors; this one's own sets its exception itself."""
        raise InvalidStateError("a pool's future is ended by its pool")

    def __repr__(self) -> str:
        # Without the base class's lock: a deque that does not hold a future says so by its repr, on the way of cancel.
        if not self.done():
            return f"<PoolFuture at {id(self):#x} state={'running' if self._is_begun else 'pending'}>"
        if self._is_cancelled:
            return f"<PoolFuture at {id(self):#x} state=cancelled>"
        if self._exception is not None:
            return f"<PoolFuture at {id(self):#x} state=finished raised {type(self._exception).__name__}>"
        return f"<PoolFuture at {id(self):#x} state=finished returned {type(self._result).__name__}>"

    # The log.

    def registers(self, entry: object) -> bool:
        """Note a parker, a callback in a tuple, or a condition, to be told of the end. False where that is past."""
        log = self._log
        log.append(entry)
        for noted in log:
            if noted is _SEAL:
                return False
            if noted is entry:
                return True
        raise AssertionError("appended, and gone")

    def forgets(self, entry: object) -> None:
        """Take `entry` out again. Its place stays, since the end may be on its way through the log."""
        self._log[self._log.index(entry)] = _GONE

    def _end(self) -> None:
        log = self._log
        log.append(_SEAL)
        if log[0] is _SEAL:
            return
        for noted in log:
            if noted is _SEAL:
                return
            if type(noted) is Parker:
                noted.unpark()
            elif type(noted) is tuple:
                self._call_back(noted[0])
            elif noted is not _GONE:
                self._tell_observers()

    def _call_back(self, fn: Callable[[Future[object]], object]) -> None:
        try:
            fn(self)
        except Exception:  # noqa: BLE001 - a callback's error must not reach the work's outcome; as in the standard library
            _LOG.exception("exception calling callback for %r", self)

    # The inside of a future, as `concurrent.futures.wait` and `as_completed` look at it.

    _observed: tuple[RawCondition, list[_Observer]] | None = None

    def _inside(self) -> tuple[RawCondition, list[_Observer]]:
        # A dictionary's setdefault is atomic, so that two who look at once get the same.
        fresh = (RawCondition(), list[_Observer]())
        inside: tuple[RawCondition, list[_Observer]] = self.__dict__.setdefault("_observed", fresh)
        if inside is fresh and not self.registers(inside[0]):
            self._tell_observers()  # it has ended: whoever looked in between and saw it run is told now
        return inside

    @property
    def _condition(self) -> RawCondition:  # type: ignore[override]
        return self._inside()[0]

    @property
    def _waiters(self) -> list[_Observer]:  # type: ignore[override]
        return self._inside()[1]

    @property
    def _state(self) -> str:  # type: ignore[override]
        # Someone observed it before its end: then it ends for observers when they are told, under the condition.
        is_over = self.done() and (self._observed is None or self._is_told)
        if not is_over:
            return "RUNNING" if self._is_begun else "PENDING"
        return "CANCELLED_AND_NOTIFIED" if self._is_cancelled else "FINISHED"

    def _tell_observers(self) -> None:
        condition, observers = self._inside()
        with condition:
            self._is_told = True
            for observer in observers:
                if self._is_cancelled:
                    observer.add_cancelled(self)
                elif self._exception is not None:
                    observer.add_exception(self)
                else:
                    observer.add_result(self)
            condition.notify_all()
