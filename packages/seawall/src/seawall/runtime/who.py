"""Who is running: threads and tasks as owners, and their names for people."""

from __future__ import annotations

import asyncio
import sys
import threading
from asyncio import events
from typing import Any

from seawall.runtime.frames import current_frames

get_ident = threading.get_ident
running_loop = events._get_running_loop
"""The loop that runs on this thread, or None: unlike `get_running_loop` it does not raise."""

if sys.version_info >= (3, 12):
    current_task = asyncio.current_task
else:
    # There asyncio's own is written in Python and asks twice; this is a third of its cost, on the path of `async with`.
    _task_on = asyncio.tasks._current_tasks.get  # type: ignore[attr-defined]

    def current_task() -> asyncio.Task[Any] | None:
        """The task that runs on this thread, or None."""
        task: asyncio.Task[Any] | None = _task_on(running_loop())
        return task


Loop = asyncio.AbstractEventLoop
Owner = int | asyncio.Task[object]
"""A thread's ident, for a `with`; a task, for an `async with`."""


def this_task() -> asyncio.Task[object]:
    """The running task. Raises RuntimeError outside of one."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("no task is running: use this inside a coroutine that a task runs")
    return task


def name_of(owner: Owner) -> str:
    """A name for people: `thread MainThread` or `task Task-7`. A thread's ident may be a later thread's by now."""
    if isinstance(owner, int):
        for thread in threading.enumerate():
            if thread.ident == owner:
                return f"thread {thread.name}"
        return f"thread {owner}" if owner in current_frames() else f"thread {owner} (ended)"
    return f"task {owner.get_name()} (ended)" if owner.done() else f"task {owner.get_name()}"


def threads_named(name: str) -> list[int]:
    """The idents of the living threads that `name_of` calls `name`."""
    return [t.ident for t in threading.enumerate() if t.ident is not None and f"thread {t.name}" == name]


def loop_of(owner: Owner) -> Loop | None:
    """The loop that a task runs on; None for a thread."""
    return None if isinstance(owner, int) else owner.get_loop()
