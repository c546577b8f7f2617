"""Where a thread or a task stands now, as text: for reports on deadlocks, long holders and stalled loops."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from types import CodeType, FrameType

from seawall.runtime.frames import current_frames
from seawall.runtime.who import Owner, get_ident

Stack = tuple[str, ...]
"""One `file:line in function` a frame, the innermost last, files as they are imported (`shop/orders.py`). No source text: to
read it would be I/O."""

FRAMES = 30
"""How many of the innermost frames are told: enough to see who called, and no more than one reads."""

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STARTERS = (_OWN, threading.__file__, os.path.dirname(asyncio.__file__) + os.sep)


def stack_of(owner: Owner) -> Stack:
    """The stack of a thread or a task, without Seawall's own innermost frames. Empty where it has ended.

    What runs meanwhile may be anywhere by the time this is read; what waits stands still.
    """
    if isinstance(owner, int):
        return stack_of_thread(owner)
    if _is_running(owner):
        return stack_of_thread(thread_of(owner.get_loop()) or get_ident())
    return _text(_awaiting(owner))


def stack_of_thread(ident: int) -> Stack:
    """The stack of the thread with this ident."""
    return _text(_calling(current_frames().get(ident)))


def thread_of(loop: asyncio.AbstractEventLoop) -> int | None:
    """The ident of the thread that runs `loop`; None where it does not run, or does not tell."""
    ident: int | None = getattr(loop, "_thread_id", None)
    return ident


def _is_running(task: asyncio.Task[object]) -> bool:
    return asyncio.current_task(task.get_loop()) is task


def _calling(frame: FrameType | None) -> list[tuple[CodeType, int]]:
    found: list[tuple[CodeType, int]] = []
    while isinstance(frame, FrameType):  # see `probe.futures_waited_for`
        found.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    found.reverse()
    return found


def _awaiting(task: asyncio.Task[object]) -> list[tuple[CodeType, int]]:
    """The coroutines that await each other, the task's own first. `Task.get_stack` shows that first one only."""
    found: list[tuple[CodeType, int]] = []
    awaited: object = task.get_coro()
    while awaited is not None:
        frame = next((f for name in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(awaited, name, None))), None)
        if not isinstance(frame, FrameType):
            break
        found.append((frame.f_code, frame.f_lineno))
        awaited = next(
            (a for name in ("cr_await", "gi_yieldfrom", "ag_await") if (a := getattr(awaited, name, None))), None
        )
    return found


def _text(frames: list[tuple[CodeType, int]]) -> Stack:
    while frames and frames[-1][0].co_filename.startswith(_OWN):
        frames.pop()
    # How a thread, a loop or a pool comes to call anything is the same for all, and tells nobody anything.
    begins = next((at for at, (code, _) in enumerate(frames) if not code.co_filename.startswith(_STARTERS)), 0)
    del frames[:begins]
    return tuple(f"{_short(code.co_filename)}:{line} in {code.co_name}" for code, line in frames[-FRAMES:])


def _short(file: str) -> str:
    """As it is imported: without the folder of `sys.path` that it lies in, which is the same for everything of one kind."""
    folders = [folder for folder in sys.path if folder and file.startswith(folder.rstrip(os.sep) + os.sep)]
    return file[len(max(folders, key=len).rstrip(os.sep)) + 1 :] if folders else file
