"""Waiting for work of a pool, also from a worker of it: what hangs other executors for ever.

A worker that waits for queued work of its own pool takes up the very thread that should carry it out. When all do, the
pool stands still: `ThreadPoolExecutor` and anyio's limiter then wait for ever. Here the one who waits carries the
queued work out itself, in its place; its thread had nothing better to do, so no other is needed. Where that cannot be
(nested too deep, or the work waits in something we do not know), one thread more is added, at most `spare_threads`, and
beyond those the work that cannot begin raises `Deadlock`, naming who waits for what and where.

Source: the inline run is what Java's ForkJoinPool does in `join`; its compensating threads are our spare ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall.clock import SYSTEM_CLOCK
from seawall.errors import DeadlineExceeded
from seawall.pools.awaited import AwaitedWork
from seawall.pools.member import Member
from seawall.runtime.blocking import BLOCKABLES
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import Parker
from seawall.runtime.who import get_ident

if TYPE_CHECKING:
    from seawall.pools.future import PoolFuture

DEEPEST = 20
"""How many pieces of work may run inside one another on one thread: a few dozen frames each, of Python's 1,000."""


def wait_for_end(future: PoolFuture, timeout_s: float | None) -> None:
    """Block until `future` has ended. Raises DeadlineExceeded (a TimeoutError) and, where it is a worker that waits
    for work that can never begin, Deadlock."""
    limit_s = wait_limit_s(timeout_s)
    member = BLOCKABLES.get(get_ident())
    if not isinstance(member, Member):
        member = None
    elif _carries_out_itself(member, future):
        return
    parker = Parker()
    if not future.registers(parker):
        return
    if member is None:
        with AwaitedWork(future.crew, future, future):
            has_ended = parker.park(limit_s)
    else:
        member.waits_for = future
        member.blocks()
        try:
            with AwaitedWork(future.crew, future, future):
                has_ended = parker.park(limit_s)
        finally:
            member.waits_for = None
            member.resumes()
    if not has_ended and not future.done():
        future.forgets(parker)
        raise DeadlineExceeded(f"pool {future.crew.name}", SYSTEM_CLOCK.monotonic() - future.since_s)


def _carries_out_itself(member: Member, future: PoolFuture) -> bool:
    crew = future.crew
    if future.running() or crew.idle:
        return False
    if crew is not member.crew and not crew.stands_still():
        return False  # another pool's work, and it will come to it
    if member.depth >= DEEPEST:
        crew.spare_or_deadlock(member, future)
        return False
    if not crew.takes_out(future):
        return False  # begun in this moment
    member.depth += 1
    try:
        future.carry_out()
    finally:
        member.depth -= 1
    crew.note_inline()
    return True
