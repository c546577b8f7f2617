"""A task's pause that another thread can end: what a `Parker` is for threads."""

from __future__ import annotations

import asyncio


class TaskPause:
    """For the running task. An end that comes before the pause is kept, as one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_over = asyncio.Event()

    async def wait(self, for_s: float) -> None:
        """Wait for `for_s` seconds, or until `end`."""
        try:
            async with asyncio.timeout(for_s):
                await self._is_over.wait()
        except TimeoutError:
            pass
        self._is_over.clear()

    def end(self) -> None:
        """From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._is_over.set)
        except RuntimeError:
            pass  # its loop is closed, and the task will never run again
