"""Where those of a name stand now: taken only when somebody asks for it, since a snapshot must stay cheap."""

from __future__ import annotations

import asyncio

from seawall.observe.waits import WAITS
from seawall.runtime.stacks import Stack, stack_of
from seawall.runtime.who import Owner, name_of, running_loop, threads_named

SHOWN = 8
"""Tasks may share a name; more than a few stacks of one nobody reads."""


def stacks_of(name: str) -> tuple[Stack, ...]:
    """The stacks of up to 8 threads or tasks that a snapshot calls `name`, as `thread queries-1` or `task Task-7`.

    Every thread is found. So is a task that waits for something *watched* or stands in the way of one who does, on any
    loop; other tasks are found on the running loop only. Empty where there is none of the name. Does not block.
    """
    found: list[Owner] = list(threads_named(name))
    if running_loop() is not None:
        found += [task for task in asyncio.all_tasks() if name_of(task) == name]
    found += [owner for owner in WAITS.parties() if owner not in found and name_of(owner) == name]
    return tuple(stack_of(owner) for owner in found[:SHOWN])
