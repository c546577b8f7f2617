"""A scheduler that runs threads one at a time, in an order that a script says: the scripted twin of `runtime.threads`.

The threads are real, but only the one that has the baton runs. At every step on a primitive, and at every bytecode of
the modules given, the script chooses who goes on: 0 is the running thread itself, then the others in the order they were
made, then those whose wait may time out, the first to be due first. So a run is a list of small numbers, and the same
list is the same run.

Time stands still while they run. A wait that times out puts the clock forward to the moment at which it is over; so a
script also says how long everything took, and a wait of an hour takes none.

After tokio's loom and Microsoft's CHESS; who chooses is `testing.interleavings`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, cast

from seawall.runtime.probe import stack_of

MOST_STEPS = 100_000
"""A scenario of a few threads takes some hundreds, at every bytecode some thousands. One that goes on is a livelock."""

STUCK_S = 5.0
"""Real seconds without a step: a thread then waits in something that is not scripted."""

Choose = Callable[[int, bool], int]
"""Given how many may go on, and whether the running thread is one of them (then it is 0): which one does."""


class Hang(Exception):
    """Raised when nobody can go on. The message says where each of them waits."""


class Abandoned(BaseException):
    """Raised inside the threads of a run that is over, so that they end."""


class Strand:
    """One thread of the script."""

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self.name = name
        self.run = run
        self.baton = threading.Lock()
        self.baton.acquire()
        self.waits_on: object | None = None
        self.until_s: float | None = None  # when its wait times out
        self.has_timed_out = False
        self.is_over = False
        self.error: BaseException | None = None
        self.thread: threading.Thread | None = None


class Script:
    """One run. Made, given threads and run by one thread, which itself is not scripted."""

    def __init__(self, choose: Choose, within: Sequence[str] = ()) -> None:
        self._choose = choose
        self._within = tuple(within)
        self._strands: list[Strand] = []
        self._current: Strand | None = None
        self._is_abandoned = False
        self._over = threading.Lock()
        self._over.acquire()
        self.steps = 0
        self.now_s = time.monotonic()
        self.hang: Hang | None = None

    def thread(self, run: Callable[[], None], name: str = "") -> Strand:
        """Add a thread. It begins when the script comes to it."""
        strand = Strand(name or f"strand-{len(self._strands)}", run)
        self._strands.append(strand)
        thread = threading.Thread(target=self._carry_out, args=(strand,), name=strand.name, daemon=True)
        strand.thread = thread
        thread.start()
        return strand

    def run(self) -> None:
        """Run until all have ended. Raises Hang, or the first thread's own error."""
        self._pass_baton(self._next())
        steps = -1
        while not self._over.acquire(timeout=STUCK_S):
            if steps == self.steps:
                self.hang = Hang(f"{self._where()} waits in something that is not scripted")
                self._abandon()
                break
            steps = self.steps
        for strand in self._strands:
            if strand.thread is not None:
                strand.thread.join(STUCK_S)
        if self.hang is not None:
            raise self.hang
        for strand in self._strands:
            if strand.error is not None:
                raise strand.error

    def _where(self) -> str:
        strand = self._current
        if strand is None or strand.thread is None:
            return "nobody"
        return f"{strand.name} at {' < '.join(reversed(stack_of(strand.thread.ident or 0)[-4:]))}"

    # What scripted primitives call, on the thread that runs.

    def step(self) -> None:
        """A point at which another thread may go on instead."""
        mine = self._current
        if mine is None or self._is_abandoned:
            return
        self._check_length()
        self._go_on_with(mine, self._next())

    def wait(self, on: object, timeout_s: float | None) -> bool:
        """Let the others go on until `wake(on)`. False where the script let `timeout_s` seconds pass instead."""
        mine = self._current
        if self._is_abandoned:
            raise Abandoned
        if mine is None:
            raise Hang("outside of the script's threads nothing may wait")
        self._check_length()
        mine.waits_on, mine.has_timed_out = on, False
        mine.until_s = None if timeout_s is None else self.now_s + timeout_s
        following = self._next()
        if following is None:
            self._hang()
        self._go_on_with(mine, following)
        return not mine.has_timed_out

    def wake(self, on: object) -> None:
        """Those who wait for `on` may go on."""
        for strand in self._strands:
            if strand.waits_on is on:
                strand.waits_on = None

    def _next(self) -> Strand | None:
        ready = [s for s in self._strands if not s.is_over and s.waits_on is None]
        late = [s for s in self._strands if not s.is_over and s.waits_on is not None and s.until_s is not None]
        may_go_on = self._current in ready
        if self._current is not None and may_go_on:
            ready.remove(self._current)
            ready.insert(0, self._current)
        late.sort(key=lambda strand: strand.until_s or 0.0)
        options = ready + late
        if not options:
            return None
        # A wait times out by itself only when nobody else can go on, or when the script says so.
        chosen = options[self._choose(len(options), may_go_on) if len(options) > 1 else 0]
        if chosen.waits_on is not None:
            chosen.waits_on, chosen.has_timed_out = None, True
            self.now_s = max(self.now_s, chosen.until_s or 0.0)
        return chosen

    def _go_on_with(self, mine: Strand, following: Strand | None) -> None:
        if following is mine:
            return
        self._pass_baton(following)
        mine.baton.acquire()
        if self._is_abandoned:
            raise Abandoned

    def _pass_baton(self, following: Strand | None) -> None:
        self._current = following
        if following is None:
            self._over.release()
        else:
            following.baton.release()

    def _carry_out(self, strand: Strand) -> None:
        strand.baton.acquire()
        try:
            if not self._is_abandoned:
                if self._within:
                    sys.settrace(cast("Any", self._trace))
                strand.run()
        except Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001 - for whoever runs the script
            strand.error = error
        finally:
            sys.settrace(None)
            strand.is_over = True
            self.wake(strand)
            if not self._is_abandoned:
                self._end_of_one()

    def _end_of_one(self) -> None:
        following = self._next()
        if following is None and not all(strand.is_over for strand in self._strands):
            try:
                self._hang()
            except Abandoned:
                return
        self._pass_baton(following)

    def _hang(self) -> None:
        told = []
        for strand in self._strands:
            if not strand.is_over and strand.thread is not None:
                stack = stack_of(strand.thread.ident or 0)
                where = next((line for line in reversed(stack) if f"{__package__.replace('.', '/')}/" not in line), "")
                told.append(f"{strand.name} at {where}")
        self.hang = Hang("nobody can go on: " + "; ".join(told))
        self._abandon()
        self._over.release()
        raise Abandoned

    def _abandon(self) -> None:
        self._is_abandoned = True
        self._current = None
        for strand in self._strands:
            if not strand.is_over:
                try:
                    strand.baton.release()
                except RuntimeError:
                    pass  # it has it

    def _check_length(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            self.hang = Hang(f"not over after {MOST_STEPS:,} steps")
            self._abandon()
            self._over.release()
            raise Abandoned

    # At every bytecode of the modules given.

    def _trace(self, frame: FrameType, event: str, _: object) -> object:
        if not frame.f_code.co_filename.startswith(self._within):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._trace_inside

    def _trace_inside(self, frame: FrameType, event: str, _: object) -> object:
        if event == "opcode":
            self.step()
        return self._trace_inside
