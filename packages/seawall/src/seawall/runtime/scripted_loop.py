"""An event loop whose waiting is a step of the script: tasks among scripted threads."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any, cast

from seawall.runtime.script import Script
from seawall.runtime.scripted import ScriptedLock


class _Selector(selectors.SelectSelector):
    """Knows the loop's own pipe only; sleeps on a scripted lock."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script
        self._due = ScriptedLock(script)
        self._due.acquire()

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait for a wake-up or for the script's time."""
        if timeout is not None and timeout <= 0:
            self._due.acquire(blocking=False)
        else:
            self._due.acquire(timeout=-1 if timeout is None else timeout)
        return []

    def wake(self) -> None:
        """End the present or the next wait."""
        if self._due.locked():
            self._due.release()


class ScriptedLoop(asyncio.SelectorEventLoop):
    """No I/O but what other threads call into it."""

    def __init__(self, script: Script) -> None:
        self._naps = _Selector(script)
        self._script = script
        super().__init__(self._naps)

    def time(self) -> float:
        """The script's."""
        return self._script.now_s

    def _write_to_self(self) -> None:
        self._naps.wake()


def run_in_script(script: Script, main: Any) -> None:
    """Run the coroutine function `main` on a loop of its own, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=lambda: ScriptedLoop(script)) as runner:
        runner.run(cast("Any", main()))
