"""Waits for several things at once, but not for long: what is late runs on for whoever comes back for it, who is told the
place of it in line, and shown the answer before, with its age."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from seawall import SeawallError
from seawall.clock import SYSTEM_CLOCK
from turnout.errors import TurnoutError
from turnout.query.line import Following, following
from turnout.web.page.answers import Missing

LINGER_S = 10.0
"""How long a late part runs on while nobody waits for it."""
MAX_LINGERING = 60
"""Late parts that may run on at once, of all pages; one more is stopped, and begun anew when somebody returns."""

OLDEST_S = 300.0
"""An answer older than this is not shown in place of one that is late."""
REMEMBERED = 300
"""Answers that may be shown so, of all pages; some kilobytes each."""

_LOG = logging.getLogger("turnout.web")

T = TypeVar("T")


class Part(Generic[T]):
    """Something to wait for. Parts of equal `key` are the same work, whose result may be some seconds old.

    What one that `is_remembered` returned may be shown, with its age, when the same is late later.
    """

    __slots__ = ("begin", "is_remembered", "key")

    def __init__(
        self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]], *, is_remembered: bool = False
    ) -> None:
        self.key = key
        self.begin = begin
        self.is_remembered = is_remembered


class _Late:
    """A late part: `waiting` counts who waits for it now. It is stopped when nobody has for `LINGER_S`."""

    __slots__ = ("line", "task", "timer", "waiting")

    def __init__(self, task: asyncio.Task[Any], line: Following) -> None:
        self.task = task
        self.line = line
        self.waiting = 0
        self.timer = asyncio.get_running_loop().call_later(LINGER_S, self._expire)

    def _expire(self) -> None:
        if self.waiting:
            self.timer = asyncio.get_running_loop().call_later(LINGER_S, self._expire)
        else:
            self.task.cancel()


class Old(Generic[T]):
    """An answer from before, in place of one that is late: `late` says how that stands."""

    __slots__ = ("age_s", "answer", "late")

    def __init__(self, answer: T, age_s: float, late: Missing) -> None:
        self.answer = answer
        self.age_s = age_s
        self.late = late


# Late parts by key, and what parts returned, by key, with when. Touched on the event loop alone.
_late: dict[Hashable, _Late] = {}
_remembered: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()


async def in_time(parts: Mapping[str, Part[T]], *, patience_s: float) -> dict[str, T | Old[T] | Missing]:
    """What the parts return within `patience_s`, all running at once; for those that are late what they returned before,
    where that is not long ago, else `Missing`, as for those that failed.

    A late part runs on, and the next one to ask for it joins it. Were it asked anew of `QueryRunner`, it would begin
    from the start whenever an event came in between. The caller's own parts end when he is cancelled, and so do late
    ones for which nobody else waits. Unforeseen errors are logged.
    """
    joined = {name: _late[part.key] for name, part in parts.items() if part.key in _late}
    lines = {name: joined[name].line if name in joined else Following() for name in parts}
    own = {name: _begin(part, lines[name]) for name, part in parts.items() if name not in joined}
    tasks: dict[str, asyncio.Task[T]] = {name: own[name] if name in own else joined[name].task for name in parts}
    for late in joined.values():
        late.waiting += 1
    has_left = False
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=patience_s)
    except asyncio.CancelledError:
        has_left = True
        for task in own.values():
            task.cancel()
        raise
    finally:
        for late in joined.values():
            late.waiting -= 1
            if has_left and not late.waiting:
                late.task.cancel()
    return {name: _outcome(parts[name].key, name, task, lines[name]) for name, task in tasks.items()}


def are_anew(parts: Iterable[Part[T]]) -> bool:
    """Whether `in_time` would begin all of them: none joins a run that began when data were older."""
    return not any(part.key in _late for part in parts)


def _begin(part: Part[T], line: Following) -> asyncio.Task[T]:
    async def run() -> T:
        with following(line):
            answer = await part.begin()
        if part.is_remembered:
            _remember(part.key, answer)
        return answer

    return asyncio.create_task(run())


def _remember(key: Hashable, answer: object) -> None:
    _remembered[key] = (answer, SYSTEM_CLOCK.monotonic())
    _remembered.move_to_end(key)
    if len(_remembered) > REMEMBERED:
        _remembered.popitem(last=False)


def _outcome(key: Hashable, name: str, task: asyncio.Task[T], line: Following) -> T | Old[T] | Missing:
    if task.done():
        return Missing(is_late=False) if _has_failed(name, task) else task.result()
    if key not in _late:
        _leave_running(key, name, task, line)
    late = Missing(is_late=True, place=line.place())
    answer, at_s = _remembered.get(key, (None, 0.0))
    age_s = SYSTEM_CLOCK.monotonic() - at_s
    return late if answer is None or age_s > OLDEST_S else Old(answer, age_s, late)


def _leave_running(key: Hashable, name: str, task: asyncio.Task[Any], line: Following) -> None:
    if len(_late) >= MAX_LINGERING:
        task.cancel()
    else:
        late = _late[key] = _Late(task, line)
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
