"""Threads and tasks that are brought into a deadlock on purpose, and what became of each of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from seawall import Deadlock

PATIENCE_S = 20.0
"""Long beyond what any step here takes; only a hang lasts so long."""


class Lock(AbstractContextManager[None], AbstractAsyncContextManager[None], Protocol):
    """Anything that is entered by threads and by tasks."""


@dataclass
class Outcome:
    """Who got through and who was refused."""

    through: list[str] = field(default_factory=list)
    refused: list[tuple[str, Deadlock]] = field(default_factory=list)


def in_thread(name: str, first: Lock, then: Lock, all_hold: threading.Barrier, outcome: Outcome) -> None:
    """Enter `first`, wait until everybody holds theirs, and enter `then`."""
    try:
        with first:
            all_hold.wait(PATIENCE_S)
            with then:
                outcome.through.append(name)
    except Deadlock as error:
        outcome.refused.append((name, error))


async def in_task(name: str, first: Lock, then: Lock, all_hold: threading.Barrier, outcome: Outcome) -> None:
    """As `in_thread`, in a task; the barrier is passed on a thread beside the loop."""
    try:
        async with first:
            await asyncio.to_thread(all_hold.wait, PATIENCE_S)
            async with then:
                outcome.through.append(name)
    except Deadlock as error:
        outcome.refused.append((name, error))


def plant(kinds: Sequence[str], wants: Sequence[tuple[Lock, Lock]]) -> Outcome:
    """Have one party a kind ("thread" or "task") take its first lock, and then all at once their second."""
    outcome, all_hold = Outcome(), threading.Barrier(len(kinds))
    tasks = [(f"task {n}", *wants[n]) for n, kind in enumerate(kinds) if kind == "task"]

    async def run_tasks() -> None:
        await asyncio.gather(
            *[
                asyncio.create_task(in_task(name, first, then, all_hold, outcome), name=name)
                for name, first, then in tasks
            ]
        )

    runs: list[tuple[str, Callable[[], None]]] = []
    for number, kind in enumerate(kinds):
        if kind == "thread":
            first, then = wants[number]
            name = f"thread {number}"
            runs.append((name, lambda n=name, f=first, t=then: in_thread(n, f, t, all_hold, outcome)))  # type: ignore[misc]
    if tasks:
        runs.append(("loop", lambda: asyncio.run(run_tasks())))
    run_all(runs)
    return outcome


def run_all(runs: Sequence[tuple[str, Callable[[], None]]]) -> None:
    """Run each on a thread of that name, to its end."""
    threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not [thread.name for thread in threads if thread.is_alive()], "they hang"
