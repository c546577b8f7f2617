"""Where every thread is, asked for so that the process cannot hang over it.

CPython 3.11's `sys._current_frames()` makes objects while it keeps the list of threads to itself. Where that starts the
garbage collector, finalizers and weak references' callbacks run in there, and may let another thread go on; if that one
asks too, or starts a thread, each waits for the other for ever: the one for the list, the other for the interpreter.
Seen in 64 minutes of busy work. So no collection may start inside (as CPython itself has it later: gh-106883).
"""

from __future__ import annotations

import gc
import sys
import threading
from types import FrameType

_ONE_AT_A_TIME = threading.RLock()  # re-entrant: a signal handler may ask in the middle of it


def current_frames() -> dict[int, FrameType]:
    """The innermost frame of each thread by its ident, as `sys._current_frames()`. Blocks for microseconds."""
    with _ONE_AT_A_TIME:
        if not gc.isenabled():
            return sys._current_frames()
        gc.disable()
        try:
            return sys._current_frames()
        finally:
            gc.enable()
