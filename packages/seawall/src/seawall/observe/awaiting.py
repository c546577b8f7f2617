"""Which tasks a task awaits, read from the task itself: it notes nothing, and needs nothing of whoever awaits.

Seen are `await task`, `gather` of tasks and the end of a `TaskGroup`. With several, one that fails lets the awaiting task
go on (or cancels the others), so it is taken to be stuck only while all of them are. Not seen are `asyncio.wait`,
`shield`, `as_completed`, events, queues and bare futures: those may be ended by anyone.
"""

from __future__ import annotations

import asyncio
from asyncio import TaskGroup
from dataclasses import dataclass
from typing import Any

from seawall.runtime.who import Owner


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a task awaits: `future` is the one thing that tells this wait from others, `tasks` all that may end it."""

    future: object
    tasks: tuple[asyncio.Task[Any], ...]


def awaited_by(owner: Owner) -> Awaited | None:
    """What `owner` awaits; None where it runs, is being cancelled, or awaits something else. Safe from any thread."""
    if isinstance(owner, int):
        return None
    # Both are read-only to Python code and there since 3.4; a task that runs awaits nothing.
    future = getattr(owner, "_fut_waiter", None)
    if future is None or future.done() or getattr(owner, "_must_cancel", True):
        return None
    if isinstance(future, asyncio.Task):
        return Awaited(future, (future,))
    children = getattr(future, "_children", None)
    if children is None:
        children = _members_of_group(owner, future)
    left = [child for child in children or () if not child.done()]
    if not left or not all(isinstance(child, asyncio.Task) for child in left):
        return None
    return Awaited(future, tuple(left))


def _members_of_group(task: asyncio.Task[Any], future: object) -> list[asyncio.Task[Any]]:
    """The tasks of the group whose block `task` is about to leave, if `future` is what tells that they have ended."""
    coroutine: Any = task.get_coro()
    frame: Any = None
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_code.co_filename == _GROUPS_FILE:
            break
        coroutine = getattr(coroutine, "cr_await", None)
    else:
        return []
    group = frame.f_locals.get("self")
    if isinstance(group, TaskGroup) and getattr(group, "_on_completed_fut", None) is future:
        return list(getattr(group, "_tasks", ()))
    return []


_GROUPS_FILE = TaskGroup.__aexit__.__code__.co_filename
