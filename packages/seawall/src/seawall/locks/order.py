"""What each thread and task holds now, and whether the next lock comes in the order seen so far."""

from __future__ import annotations

from typing import Protocol

from seawall.core.order_graph import OrderEdge, OrderGraph, OrderKey, is_in_key_order
from seawall.errors import LockOrderViolation
from seawall.observe.events import EVENTS, OrderInverted
from seawall.observe.settings import SETTINGS, Level
from seawall.runtime.stacks import stack_of
from seawall.runtime.threads import RawRLock
from seawall.runtime.who import Owner, current_task, get_ident, name_of, running_loop


class Held(Protocol):
    """A lock as the order knows it."""

    name: str
    order_key: OrderKey | None

    def _is_held_by(self, owner: Owner) -> bool:
        """Whether `owner` is inside."""
        ...


Chain = Held | tuple[Held, "Chain"]
"""What one owner holds, the latest first; a single lock is itself, to spare a tuple where nothing is nested. Immutable,
so that others may read it."""

HELD: dict[Owner, Chain] = {}
"""What threads hold. Each entry is written by its owner alone; who holds nothing has none."""

HELD_BY_TASKS: dict[Owner, Chain] = {}
"""What tasks hold; likewise. Apart, so that a thread need not ask for its task where no task holds anything."""

_GRAPH = OrderGraph()
_GUARD = RawRLock()  # guards additions to _GRAPH; re-entrant, for the garbage collector may run code that locks


def check_order(lock: Held, owner: Owner) -> None:
    """Raise LockOrderViolation where `lock` may not be taken by someone who holds what `owner` does.

    What the running task holds counts for its thread too, and the other way round: either may be what blocks.
    """
    if isinstance(owner, int):
        _check_chain(lock, owner, HELD.get(owner))
        task = current_task() if HELD_BY_TASKS and running_loop() is not None else None
        if task is not None:
            _check_chain(lock, task, HELD_BY_TASKS.get(task))
    else:
        _check_chain(lock, owner, HELD_BY_TASKS.get(owner))
        _check_chain(lock, get_ident(), HELD.get(get_ident()))


def note_held(lock: Held, owner: Owner) -> None:
    """Put `lock` on top of what `owner` holds."""
    table = _table_of(owner)
    outer = table.get(owner)
    table[owner] = lock if outer is None else (lock, outer)


def note_left(lock: Held, owner: Owner) -> None:
    """Take `lock` out of what `owner` holds, wherever it is; harmless where it never was noted."""
    table = _table_of(owner)
    left = _without(lock, table.get(owner))
    if left is None:
        table.pop(owner, None)
    else:
        table[owner] = left


def accept_order(first: str, second: str, *, reason: str) -> None:
    """Let `second` be taken while `first` is held, though the other order is in use too; `reason` is for the reader.

    For pairs that cannot meet, such as one order at the start, before there are threads. It is listed by `lock_order`
    and forbids nothing to others. Does not block; from any thread.

    >>> accept_order("config", "log", reason="only while starting, on one thread")
    """
    with _GUARD:
        _GRAPH.accept(first, second, reason)


def lock_order() -> tuple[OrderEdge, ...]:
    """Every order of two locks seen at level *ordered* or accepted: names, the first owner and stack, the reason.

    Sorted by name, so that it can be kept in a file and reviewed. Does not block; from any thread.
    """
    with _GUARD:
        return _GRAPH.edges()


def forget_lock_order() -> None:
    """Unlearn every order, accepted ones too: for tests, which would otherwise teach each other."""
    with _GUARD:
        _GRAPH.clear()


def _table_of(owner: Owner) -> dict[Owner, Chain]:
    return HELD if isinstance(owner, int) else HELD_BY_TASKS


def _check_chain(lock: Held, owner: Owner, chain: Chain | None) -> None:
    while chain is not None:
        held, chain = chain if isinstance(chain, tuple) else (chain, None)
        if held is lock:
            continue  # entered again: not a matter of order, and found by other means
        if held.name == lock.name:
            if not is_in_key_order(held.order_key, lock.order_key):
                _check_keys(held, lock, owner)
        elif not _GRAPH.knows(held.name, lock.name):
            _learn(held, lock, owner)


def _check_keys(held: Held, lock: Held, owner: Owner) -> None:
    if held._is_held_by(owner) and SETTINGS.on_inversion != "off":
        here = stack_of(get_ident())
        _found(OrderInverted(lock.name, lock.name, (name_of(owner), name_of(owner)), ((), here)), "")


def _learn(held: Held, lock: Held, owner: Owner) -> None:
    # What was noted before the level last changed may be out of date.
    if not held._is_held_by(owner) or SETTINGS.on_inversion == "off":
        return
    edge = OrderEdge(held.name, lock.name, name_of(owner), stack_of(get_ident()))
    with _GUARD:
        is_known = _GRAPH.was_inverted(held.name, lock.name)
        inversion = _GRAPH.add(edge)
    if inversion is None or (is_known and SETTINGS.on_inversion == "report"):
        return
    before, way = inversion.path[-1], " → ".join((inversion.path[0].first, *(step.second for step in inversion.path)))
    stacks = (before.stack, edge.stack)
    _found(OrderInverted(lock.name, held.name, (before.owner, edge.owner), stacks), way)


def _found(event: OrderInverted, way: str) -> None:
    EVENTS.emit(event)
    if SETTINGS.on_inversion == "raise":
        raise LockOrderViolation(event.first, event.second, event.stacks, event.owners, way)


def _without(lock: Held, chain: Chain | None) -> Chain | None:
    if chain is None:
        return None
    if not isinstance(chain, tuple):
        return None if chain is lock else chain
    held, outer = chain
    if held is lock:
        return outer
    left = _without(lock, outer)
    return held if left is None else (held, left)


def _forget_held(level: Level) -> None:
    # Below *ordered* locks leave without a note, so what was noted would soon be out of date.
    HELD.clear()
    HELD_BY_TASKS.clear()


SETTINGS.follow(_forget_held)
