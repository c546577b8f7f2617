"""Cancelling a task from outside in a way that it can tell from a cancellation by somebody else.

The way of `asyncio.timeout` (Python 3.11): cancel, and on the way out take the request back with `uncancel`; where more
requests are left than there were at the start, somebody else wants the task cancelled, too.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Cancelling:
    """For one block of one task."""

    def __init__(self, task: asyncio.Task[Any], why: str) -> None:
        self._task = task
        self._why = why
        self._loop = task.get_loop()
        self._before = task.cancelling()
        self._is_over = False  # written and read on the loop's thread only, as is all below
        self._has_begun = False

    def begin(self) -> None:
        """Cancel the task soon, if it is still inside. From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            pass  # its loop is closed, and the task will never run again

    def end(self) -> bool:
        """The block is over. True where it was cancelled here and by nobody else."""
        self._is_over = True
        return self._has_begun and self._task.uncancel() <= self._before

    def _cancel(self) -> None:
        if not self._is_over:
            self._has_begun = True
            self._task.cancel(self._why)
