"""One piece of work at a gate: for one `with` or `async with` block."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Literal

from seawall.core.control import Visit, Work
from seawall.core.limits import Outcome
from seawall.errors import DeadlineExceeded, Overloaded
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.who import Owner, current_task, get_ident, this_task

if TYPE_CHECKING:
    from seawall.admission.gate import Gate


class Admitted(Visit):
    """What `Gate.admit` returns. Entering the block is arriving at the gate, leaving it gives the seat back.

    How it ends says something of the load: a block that ends well is a *success*, whose time counts for what others may
    expect; one that ends with `Overloaded` or a time-out was *dropped* further on; any other error is *ignored*, and so is
    what `ignore` was called for. A cancelled one is counted as cancelled. Cancelled while it waits, it leaves the queue at
    once, and a seat that it was given in that very moment goes to the next.
    """

    __slots__ = ("_ends_as", "_gate", "owner", "waited_s", "waiter")

    def __init__(self, gate: Gate, work: Work, tenant: str, cost: float) -> None:
        super().__init__(work, tenant, cost)
        self._gate = gate
        self._ends_as: Outcome | None = None
        self.owner: Owner = 0
        self.waiter: ThreadWaiter | TaskWaiter | None = None
        self.waited_s = 0.0
        """How long it waited to be let in, in seconds."""

    async def __aenter__(self) -> Admitted:
        self.owner = current_task() or this_task()
        if not self._gate._arrive(self):
            await self._gate._wait_in_task(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate._leave(self, self._outcome_of(error))

    def __enter__(self) -> Admitted:
        self.owner = get_ident()
        if not self._gate._arrive(self):
            self._gate._wait_in_thread(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate._leave(self, self._outcome_of(error))

    def ignore(self) -> None:
        """Let this one tell nothing of the load: a stream, say, or an answer from a cache. Does not block."""
        self._ends_as = "ignored"

    def drop(self) -> None:
        """Note that this one met an overload further on, though no error says so. Does not block."""
        self._ends_as = "dropped"

    def place(self) -> int | None:
        """Its place in the queue of its workload, from 1; None where it does not wait. Does not block."""
        return self._gate._place_of(self)

    def expected_wait_s(self) -> float:
        """What it still has to wait by what is known, in seconds; 0 where it does not wait. Does not block."""
        place = self.place()
        return 0.0 if place is None else self._gate.expected_wait_s(self.work.workload.name, place - 1)

    def _outcome_of(self, error: BaseException | None) -> Outcome | Literal["cancelled"]:
        if error is not None and not isinstance(error, Exception):
            return "cancelled"
        if self._ends_as is not None:
            return self._ends_as
        if error is None:
            return "success"
        return "dropped" if isinstance(error, (Overloaded, DeadlineExceeded, TimeoutError)) else "ignored"
