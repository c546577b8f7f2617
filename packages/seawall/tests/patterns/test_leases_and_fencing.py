"""The handbook's page docs/patterns/leases-and-fencing.md: the trap, and the fix.

Runs against any store; here against one in this process, whose clock the test moves. The same with real processes that are
stopped past their lease is in tests/fault/test_leases_and_holders.py.
"""

import pytest

from seawall import LeaseLost, StaleToken
from seawall.dist import Fence, Lease, MemoryStore
from seawall.testing import ManualClock


class File:
    """What the lease is to protect. It takes whatever it is given."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text = text


class FencedFile(File):
    """The same behind a fence: a write has to come with its writer's token."""

    def __init__(self) -> None:
        super().__init__()
        self.fence = Fence("report")

    def write_with(self, token: int, text: str) -> None:
        with self.fence.passing(token):
            self.write(text)


def test_trap_a_lock_with_a_time_out_lets_two_writers_in() -> None:
    clock, file = ManualClock(), File()
    with MemoryStore(clock=clock) as store:
        lease = Lease("report", store, ttl_s=10)
        first = lease.acquire()
        assert first.is_held()  # it looks, and is about to write …
        clock.advance(11)  # … when its process is paused: swapped out, stopped, moved to another machine
        second = lease.acquire()
        file.write("second")
        file.write("first")  # it goes on as if nothing had happened
        assert file.text == "first"  # what the later holder wrote is gone
        second.release()
        with pytest.raises(LeaseLost):
            first.release()  # told afterwards, when it is too late


def test_fix_a_fence_refuses_whoever_comes_too_late() -> None:
    clock, file = ManualClock(), FencedFile()
    with MemoryStore(clock=clock) as store:
        lease = Lease("report", store, ttl_s=10)
        first = lease.acquire()
        assert first.is_held()
        clock.advance(11)
        second = lease.acquire()
        file.write_with(second.token, "second")
        with pytest.raises(StaleToken):
            file.write_with(first.token, "first")
        assert file.text == "second"
        second.release()
        with pytest.raises(LeaseLost):
            first.release()
