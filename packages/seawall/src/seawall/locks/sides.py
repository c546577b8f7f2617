"""The verbs of a lock that has several kinds of holders, on top of what each kind does differently."""

from __future__ import annotations

from abc import abstractmethod
from types import TracebackType

from seawall.clock import SYSTEM_CLOCK
from seawall.core.order_graph import OrderKey
from seawall.errors import Misuse, Wait
from seawall.locks.level import Levelled
from seawall.locks.order import check_order, note_held, note_left
from seawall.observe.events import found_deadlock
from seawall.observe.tally import Tally
from seawall.runtime.stacks import stack_of
from seawall.runtime.who import Owner, current_task, get_ident, name_of, running_loop, this_task


class Side(Levelled):
    """One side of a read-write lock: `with`, `async with`, and the verbs of `Mutex`."""

    __slots__ = ("_since_s", "_tally", "name", "order_key")

    _is_watched = False
    _kind = "lock"

    def __init__(self, name: str, order_key: OrderKey | None) -> None:
        self.name = name
        self.order_key = order_key
        self._tally = Tally()
        self._since_s: dict[Owner, float] = {}  # since when it is held, at level *timed*; an entry is its owner's

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave_as(get_ident())

    async def __aenter__(self) -> None:
        await self.acquire_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave_as(this_task())

    def acquire(self, *, timeout_s: float | None = None) -> None:
        """Enter, blocking the thread for at most `timeout_s` seconds. To be followed by `release`.

        Raises DeadlineExceeded, Deadlock, LockOrderViolation or Misuse; nothing is taken then.
        """
        owner = get_ident()
        self._prepare(owner)
        if not self._enter_now(owner):
            self._wait_in_thread(owner, timeout_s)
        self._note(owner)

    async def acquire_async(self, *, timeout_s: float | None = None) -> None:
        """Enter, waiting in the running task for at most `timeout_s` seconds. To be followed by `release`.

        Raises DeadlineExceeded, Deadlock or LockOrderViolation; nothing is taken then, nor when cancelled.
        """
        owner = this_task()
        self._prepare(owner)
        if not self._enter_now(owner):
            await self._wait_in_task(owner, timeout_s)
        self._note(owner)

    def try_acquire(self) -> bool:
        """Enter if that needs no wait. Never blocks, never raises. Owned by the running task, else by the thread."""
        owner = get_ident() if running_loop() is None else current_task() or get_ident()
        if self._holds(owner) or not self._enter_now(owner):
            return False
        self._note(owner)
        return True

    def release(self) -> None:
        """Leave. Never blocks. Raises Misuse where neither the running task nor this thread is inside on this side."""
        task = current_task() if running_loop() is not None else None
        self._leave_as(task if task is not None and self._is_held_by(task) else get_ident())

    @abstractmethod
    def locked(self) -> bool:
        """Whether someone is inside on this side. Never blocks; may be out of date when it returns."""

    @abstractmethod
    def _is_held_by(self, owner: Owner) -> bool:
        """Whether `owner` is inside on this side."""

    @abstractmethod
    def _holds(self, owner: Owner) -> bool:
        """Whether `owner` is inside on either side."""

    @abstractmethod
    def _enter_now(self, owner: Owner) -> bool:
        """Enter if that needs no wait."""

    @abstractmethod
    def _wait_in_thread(self, owner: Owner, timeout_s: float | None) -> None:
        """Wait until `owner` is inside."""

    @abstractmethod
    async def _wait_in_task(self, owner: Owner, timeout_s: float | None) -> None:
        """Wait until `owner` is inside."""

    @abstractmethod
    def _leave(self, owner: Owner) -> None:
        """Have `owner`, who is inside, be so no longer."""

    def _forget_times(self) -> None:
        self._since_s.clear()

    def _prepare(self, owner: Owner) -> None:
        for me in (owner, get_ident()):
            if self._holds(me):
                stack = stack_of(get_ident())
                raise found_deadlock((Wait(self.name, name_of(owner), (name_of(me),), stack, (stack,)),))

    def _note(self, owner: Owner) -> None:
        """What a higher level notes of who has entered."""

    def _leave_as(self, owner: Owner) -> None:
        if not self._is_held_by(owner):
            raise Misuse(f"{self.name}: left by someone who does not hold it ({name_of(owner)})")
        self._unnote(owner)
        self._leave(owner)

    def _unnote(self, owner: Owner) -> None:
        """What a higher level notes of who leaves."""


class WatchedSide(Side):
    """Its waits are in the wait graph and the histogram."""

    __slots__ = ()

    _is_watched = True


class OrderedSide(WatchedSide):
    """Also checks that it comes in the order seen before."""

    __slots__ = ()

    def _prepare(self, owner: Owner) -> None:
        Side._prepare(self, owner)
        check_order(self, owner)

    def _note(self, owner: Owner) -> None:
        note_held(self, owner)

    def _unnote(self, owner: Owner) -> None:
        note_left(self, owner)


class TimedSide(OrderedSide):
    """Also notes how long it is held."""

    __slots__ = ()

    def _note(self, owner: Owner) -> None:
        OrderedSide._note(self, owner)
        self._since_s[owner] = SYSTEM_CLOCK.monotonic()

    def _unnote(self, owner: Owner) -> None:
        since_s = self._since_s.pop(owner, None)
        if since_s is not None:  # None where it was entered at another level
            self._tally.add_hold(SYSTEM_CLOCK.monotonic() - since_s)
        OrderedSide._unnote(self, owner)
