"""Whether the threads of a pool all wait for each other, and how to say so."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.errors import Deadlock, Wait
from seawall.pools.member import Member
from seawall.runtime.probe import stack_of, waits_for_future


def stands_still(members: Sequence[Member]) -> bool:
    """Whether every member waits, at least one of them for work of a pool: by itself that need not end.

    A wait for a pool's future is known; one in `concurrent.futures` itself (`wait`, or a loop's answer to a thread)
    shows in the thread's stack only, and is looked for there.
    """
    is_nested = False
    for member in members:
        if member.waits_for is not None or (member.work is not None and waits_for_future(member.ident)):
            is_nested = True
        elif member.blocked_since_s is None:
            return False
    return is_nested


def deadlock_in(pool_name: str, waiter: Member | None, members: Sequence[Member]) -> Deadlock:
    """The error for `waiter`, or for the queued work itself, that no thread will ever come to."""
    holders = [member for member in members if member is not waiter]
    wait = Wait(
        resource=f"pool {pool_name}",
        waiter="its queued work" if waiter is None else f"thread {waiter.name}",
        holders=tuple(f"thread {member.name}" for member in holders),
        waiter_stack=() if waiter is None else stack_of(waiter.ident),
        holder_stacks=tuple(stack_of(member.ident) for member in holders),
    )
    return Deadlock((wait,))
