"""Whether the threads of a pool all wait, whether that can ever end, and how to say so."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.errors import Deadlock, Wait
from seawall.observe.events import EVENTS, DeadlockFound
from seawall.pools.member import Member
from seawall.runtime.probe import futures_waited_for
from seawall.runtime.stacks import stack_of


def stands_still(members: Sequence[Member]) -> bool:
    """Whether every member waits: for work of a pool, or in something else that is known.

    That may end by itself, so it is a reason for one more thread, not for an error. A wait in `concurrent.futures`
    itself (`wait`, or a loop's answer to a thread) shows in the thread's stack only, and is looked for there.
    """
    return bool(members) and all(
        member.blocked_since_s is not None or (member.work is not None and futures_waited_for(member.ident))
        for member in members
    )


def is_knot(members: Sequence[Member], queue: Sequence[object]) -> bool:
    """Whether every member waits for work that none but these members could begin or go on with.

    Only then is it certain that this never ends. Whoever waits for anything else may be woken from outside.
    """
    in_hand = {id(member.work) for member in members}
    queued = {id(work) for work in queue}
    for member in members:
        awaited = (member.waits_for,) if member.waits_for is not None else futures_waited_for(member.ident)
        pending = [future for future in awaited if not _is_done(future)]
        if not pending or not all(id(future) in queued or id(future) in in_hand for future in pending):
            return False
    return bool(members)


def deadlock_in(pool_name: str, waiter: Member | None, members: Sequence[Member]) -> Deadlock:
    """The error for `waiter`, or for the queued work itself, that no thread will ever come to. Observers hear of it."""
    holders = [member for member in members if member is not waiter]
    wait = Wait(
        resource=f"pool {pool_name}",
        waiter="its queued work" if waiter is None else f"thread {waiter.name}",
        holders=tuple(f"thread {member.name}" for member in holders),
        waiter_stack=() if waiter is None else stack_of(waiter.ident),
        holder_stacks=tuple(stack_of(member.ident) for member in holders),
    )
    EVENTS.emit(DeadlockFound((wait,), was_raised=True))
    return Deadlock((wait,))


def _is_done(future: object) -> bool:
    done = getattr(future, "done", None)
    return done is None or bool(done())
