"""Waits for several things at once, but not for long: what is late runs on for whoever comes back for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Mapping
from typing import Any, Generic, TypeVar

from seawall import SeawallError
from turnout.errors import TurnoutError
from turnout.web.page.answers import Missing

LINGER_S = 10.0
"""How long a late part runs on while nobody waits for it."""
MAX_LINGERING = 60
"""Late parts that may run on at once, of all pages; one more is stopped, and begun anew when somebody returns."""

_LOG = logging.getLogger("turnout.web")

T = TypeVar("T")


class Part(Generic[T]):
    """Something to wait for. Parts of equal `key` are the same work, whose result may be some seconds old."""

    __slots__ = ("begin", "key")

    def __init__(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.key = key
        self.begin = begin


class _Late:
    """A late part: `waiting` counts who waits for it now. It is stopped when nobody has for `LINGER_S`."""

    __slots__ = ("task", "timer", "waiting")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.waiting = 0
        self.timer = asyncio.get_running_loop().call_later(LINGER_S, self._expire)

    def _expire(self) -> None:
        if self.waiting:
            self.timer = asyncio.get_running_loop().call_later(LINGER_S, self._expire)
        else:
            self.task.cancel()


# Late parts by key. Touched on the event loop alone.
_late: dict[Hashable, _Late] = {}


async def in_time(parts: Mapping[str, Part[T]], *, patience_s: float) -> dict[str, T | Missing]:
    """What the parts return within `patience_s`, all running at once; `Missing` for those that failed or are late.

    A late part runs on, and the next one to ask for it joins it. Were it asked anew of `QueryRunner`, it would begin
    from the start whenever an event came in between. The caller's own parts end when he is cancelled. Unforeseen errors
    are logged.
    """
    joined = {name: _late[part.key] for name, part in parts.items() if part.key in _late}
    own = {name: asyncio.create_task(part.begin()) for name, part in parts.items() if name not in joined}
    tasks: dict[str, asyncio.Task[T]] = {name: own[name] if name in own else joined[name].task for name in parts}
    for late in joined.values():
        late.waiting += 1
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=patience_s)
    except asyncio.CancelledError:
        for task in own.values():
            task.cancel()
        raise
    finally:
        for late in joined.values():
            late.waiting -= 1
    return {name: _outcome(parts[name].key, name, task) for name, task in tasks.items()}


def _outcome(key: Hashable, name: str, task: asyncio.Task[T]) -> T | Missing:
    if not task.done():
        if key not in _late:
            _leave_running(key, name, task)
        return Missing(is_late=True)
    return Missing(is_late=False) if _has_failed(name, task) else task.result()


def _leave_running(key: Hashable, name: str, task: asyncio.Task[Any]) -> None:
    if len(_late) >= MAX_LINGERING:
        task.cancel()
    else:
        late = _late[key] = _Late(task)
        task.add_done_callback(lambda _: late.timer.cancel())
        task.add_done_callback(lambda _: _late.pop(key, None))
    task.add_done_callback(lambda over: _has_failed(name, over))


def _has_failed(name: str, task: asyncio.Task[Any]) -> bool:
    if task.cancelled():
        return True
    error = task.exception()
    if error is not None and not isinstance(error, TurnoutError | SeawallError):
        _LOG.error("the part %s of a page failed", name, exc_info=error)
    return error is not None
