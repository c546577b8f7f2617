"""What is worth telling: structured events, handed to whoever asked for them, and counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import copy_of
from seawall.core.statistics import Findings, Found
from seawall.errors import Deadlock, Wait

Stack = tuple[str, ...]

KEPT = 16
"""How many of the last of each kind stay to be looked at: enough for people, and bounded."""


@dataclass(frozen=True, slots=True)
class DeadlockFound:
    """A deadlock. `was_raised` says whether its last waiter was refused, so that the others go on."""

    cycle: tuple[Wait, ...]
    was_raised: bool


@dataclass(frozen=True, slots=True)
class OrderInverted:
    """`second` was taken before `first` by `owners[1]` at `stacks[1]`; `owners[0]` had them the other way round."""

    first: str
    second: str
    owners: tuple[str, str]
    stacks: tuple[Stack, Stack]


@dataclass(frozen=True, slots=True)
class LongHold:
    """`holder` has held `resource` for `held_s` seconds and more while `waiters` wait. `stack` is where it stands."""

    resource: str
    holder: str
    held_s: float
    waiters: int
    stack: Stack


@dataclass(frozen=True, slots=True)
class LoopStall:
    """The event loop `loop` has run nothing else for `stalled_s` seconds. `stack` is where it stands."""

    loop: str
    stalled_s: float
    stack: Stack


@dataclass(frozen=True, slots=True)
class LeaseLapsed:
    """The lease `name` was lost after `held_s` seconds, though its holder had not given it back. See `LeaseLost`."""

    name: str
    token: int
    reason: str
    held_s: float


Event = DeadlockFound | OrderInverted | LongHold | LoopStall | LeaseLapsed
Observer = Callable[[Event], object]


class Events:
    """Counts events and tells observers. From any thread; never while an internal lock is held."""

    def __init__(self) -> None:
        self._observers: tuple[Observer, ...] = ()
        self._deadlocks: deque[DeadlockFound] = deque(maxlen=KEPT)
        # Each kind by itself: many long holds must not push out the one deadlock.
        self._told: dict[type[Event], deque[tuple[float, Event]]] = {
            kind: deque(maxlen=4 * KEPT) for kind in get_args(Event)
        }
        self.deadlocks_total = 0
        self.inversions_total = 0
        self.long_holds_total = 0
        self.loop_stalls_total = 0
        self.leases_lost_total = 0
        self.observer_failures_total = 0

    def add(self, observer: Observer) -> None:
        """See `add_observer`."""
        self._observers = (*self._observers, observer)

    def remove(self, observer: Observer) -> None:
        """See `remove_observer`."""
        self._observers = tuple(other for other in self._observers if other != observer)

    def emit(self, event: Event) -> None:
        """Count `event` and tell everybody. Two at the same instant may count as one; the observers hear both."""
        match event:
            case DeadlockFound():
                self.deadlocks_total += 1
                self._deadlocks.append(event)
            case OrderInverted():
                self.inversions_total += 1
            case LongHold():
                self.long_holds_total += 1
            case LoopStall():
                self.loop_stalls_total += 1
            case LeaseLapsed():
                self.leases_lost_total += 1
        self._told[type(event)].append((SYSTEM_CLOCK.time(), event))
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - an observer's bug must not break whoever happened to find something
                self.observer_failures_total += 1

    def findings(self) -> Findings:
        """How many of each."""
        return Findings(
            deadlocks_total=self.deadlocks_total,
            inversions_total=self.inversions_total,
            long_holds_total=self.long_holds_total,
            loop_stalls_total=self.loop_stalls_total,
            leases_lost_total=self.leases_lost_total,
            observer_failures_total=self.observer_failures_total,
        )

    def last_deadlocks(self) -> tuple[DeadlockFound, ...]:
        """The last ones, oldest first."""
        return tuple(copy_of(self._deadlocks))

    def found(self) -> tuple[Found, ...]:
        """The last ones of each kind, oldest first; a hold or a stall that was told again and again as one."""
        found: list[Found] = []
        for told in self._told.values():
            last = {_same(event): (at_s, event) for at_s, event in copy_of(told)}
            found += [described(event, at_s) for at_s, event in list(last.values())[-KEPT:]]
        return tuple(sorted(found, key=lambda one: one.at_s))


def _same(event: Event) -> object:
    """Equal for what is told again because it lasts."""
    match event:
        case LongHold():
            return event.resource, event.holder
        case LoopStall():
            return event.loop
    return id(event)


def described(event: Event, at_s: float) -> Found:
    """`event` in one line, with the places where those in it stood. `at_s` is when, seconds since 1970 UTC."""
    match event:
        case DeadlockFound():
            told = "; ".join(f"{w.waiter} waits for {w.resource}, held by {', '.join(w.holders)}" for w in event.cycle)
            end = "the last to wait was refused" if event.was_raised else "reported only; they still stand"
            return Found(at_s, "deadlock", f"{told}; {end}", tuple((w.waiter, w.waiter_stack) for w in event.cycle))
        case OrderInverted():
            told = f"{event.second} was taken before {event.first}; elsewhere it is the other way round"
            return Found(at_s, "inversion", told, tuple(zip(event.owners, event.stacks, strict=False)))
        case LongHold():
            told = f"{event.holder} has held {event.resource} for {event.held_s:.1f} s; {event.waiters} wait"
            return Found(at_s, "long hold", told, ((event.holder, event.stack),))
        case LoopStall():
            told = f"the event loop {event.loop} has run nothing else for {event.stalled_s:.1f} s"
            return Found(at_s, "loop stall", told, ((f"loop {event.loop}", event.stack),))
        case LeaseLapsed():
            return Found(at_s, "lost lease", f"{event.name} after {event.held_s:.1f} s: {event.reason}", ())


EVENTS = Events()
"""The events of this process."""


def found_deadlock(cycle: tuple[Wait, ...]) -> Deadlock:
    """The error for a deadlock that is about to be raised. Observers hear of it, also where somebody swallows it."""
    EVENTS.emit(DeadlockFound(cycle, was_raised=True))
    return Deadlock(cycle)


def add_observer(observer: Observer) -> None:
    """Have `observer(event)` called for each deadlock, inverted order, long hold, loop stall and lost lease.

    It is called at once, on the thread that found it, which may hold locks of its own: be quick, take none, do not
    block. What it raises is counted and goes no further. Does not block itself; from any thread.

    >>> seen = []
    >>> add_observer(seen.append)
    >>> remove_observer(seen.append)
    """
    EVENTS.add(observer)


def remove_observer(observer: Observer) -> None:
    """Call `observer` no more. Harmless when it was never added."""
    EVENTS.remove(observer)
