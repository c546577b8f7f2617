"""Who waits for what now, over threads and tasks and every kind of resource; and whether that can ever end.

A waiter says what it waits for and then looks. So of several that close a deadlock between them the last to have said
so sees it whole. A look reads one party after the other while the world moves on, so what it finds is believed only
when a second look finds the same: parties that were in the same wait before and after have neither taken nor given
anything back in between, so that what the second look read of them was true all at one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from seawall.core.wait_graph import Need, knot_of, stuck
from seawall.errors import Deadlock, Wait
from seawall.observe.awaiting import awaited_by
from seawall.observe.events import EVENTS, DeadlockFound
from seawall.observe.loans import Loan, Loans, loans_here
from seawall.observe.settings import SETTINGS
from seawall.runtime.stacks import stack_of
from seawall.runtime.threads import ProcessRLock
from seawall.runtime.who import Loop, Owner, get_ident, loop_of, name_of

OwnerNeed = Need[Owner]
NeedOf = Callable[[], OwnerNeed | None]
"""Says who stands in the way just now; None where that is unknown, or somebody who can be trusted to go on."""

Seen = dict[Owner, Sequence[OwnerNeed]]

TOLD = 8
"""Of the many who hold a seat or a permit, so many are named to whoever asks who waits for whom."""
LOOKS = 100
"""A deadlock stands still, so two looks agree on it; this many disagreements are a busy system, not a deadlock."""


class Waiting(Protocol):
    """One wait of one thread or task."""

    owner: Owner

    def is_decided(self) -> bool:
        """Whether it has been granted or given up: then it is no wait any more."""
        ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """A deadlock as it was seen at one look: who is in it, and what everybody who was looked at needed."""

    knot: tuple[Owner, ...]
    seen: Seen

    def agrees_with(self, before: Sighting) -> bool:
        """Whether nobody who is stuck has moved since `before`."""
        return all(_are_equal(before.seen.get(owner, ()), self.seen[owner]) for owner in stuck(self.seen))

    def waits_in_knot(self) -> list[object]:
        """The waits of those who are in it."""
        return [need.wait for owner in self.knot for need in self.seen[owner]]

    def waits_seen(self) -> list[object]:
        """All waits that were looked at: what the deadlock is concluded from."""
        return [need.wait for needs in self.seen.values() for need in needs]

    def cycle(self) -> tuple[Wait, ...]:
        """As people read it, with the stacks as they are now."""
        return tuple(_waits_within(self.knot, self.seen))


class Waits:
    """The waits of this process. Everything may be called from any thread; nothing blocks but for another look."""

    def __init__(self) -> None:
        self._waits: dict[Owner, tuple[Waiting, NeedOf, Loans]] = {}  # an entry is its owner's; see begin_for
        self._blocked_loops: dict[Loop, int] = {}  # and this by the loop's own thread
        # One look at a time, so that of two who close a deadlock together one is refused, not both. Re-entrant, since
        # the garbage collector may run code that waits in the middle of a look.
        self._looking = ProcessRLock()

    def begin(self, waiting: Waiting, need_of: NeedOf, blocked_loop: Loop | None = None) -> None:
        """Note that its owner waits; `blocked_loop` is the loop whose thread stands still meanwhile."""
        self._waits[waiting.owner] = (waiting, need_of, loans_here())
        if blocked_loop is not None and isinstance(waiting.owner, int):
            self._blocked_loops[blocked_loop] = waiting.owner

    def block_loop(self, loop: Loop) -> None:
        """Note that the calling thread, which runs `loop`, stands still; `end` with the loop notes that it goes on."""
        self._blocked_loops[loop] = get_ident()

    def begin_for(self, waiting: Waiting, need_of: NeedOf, loans: Loans = ()) -> None:
        """Note for somebody else, where `loans` are taken, that it waits, unless it has noted another wait since.

        Whoever does so ends the wait itself where it finds it over afterwards, in case its owner has ended it before.
        """
        self._waits.setdefault(waiting.owner, (waiting, need_of, loans))

    def end(self, waiting: Waiting, blocked_loop: Loop | None = None) -> None:
        """Note that the wait is over. Harmless when repeated."""
        found = self._waits.get(waiting.owner)
        if found is not None and found[0] is waiting:
            self._waits.pop(waiting.owner, None)  # a notifier may be ending it too; see begin_for
        if blocked_loop is not None:
            self._blocked_loops.pop(blocked_loop, None)

    def stands_for(self, loan: Loan) -> Owner | None:
        """Who has `loan` in hand; None where that is not known. See `observe.loans`.

        One that does not wait has it for all that a deadlock needs to know: it can go on.
        """
        owner = loan.owner
        if not isinstance(owner, int):
            return None if owner is None or owner.done() else owner
        wait = self._waits.get(owner)
        return owner if wait is None or loan in wait[2] else None

    def refuse_deadlock(self, waiting: Waiting, blocked_loop: Loop | None = None) -> None:
        """Raise Deadlock where this wait, which has begun, can never end; the policy may be to report it only.

        To be called once the waiter stands in line. The caller takes it out again when this raises.
        """
        policy = SETTINGS.on_deadlock
        if policy == "off" or not self._may_be_stuck(waiting):
            return
        with self._looking:
            knot, seen = self._confirmed_knot(waiting)
            if knot and policy == "raise":
                self.end(waiting, blocked_loop)
        if not knot:
            return
        # The others stand still until this waiter has unwound and released what it holds: their stacks may be read now.
        cycle = tuple(_waits_within(knot, seen))
        EVENTS.emit(DeadlockFound(cycle, was_raised=policy == "raise"))
        if policy == "raise":
            raise Deadlock(cycle)

    def sight(self, waiting: Waiting) -> Sighting | None:
        """The deadlock that `waiting` is in where all hearsay is true; None where there is none.

        Whoever brought the hearsay asks its source again afterwards, and believes what two sightings agree on.
        """
        with self._looking:
            knot, seen = self._confirmed_knot(waiting, believing=True)
        return Sighting(knot, seen) if knot else None

    def needs(self) -> list[OwnerNeed]:
        """What everybody who waits needs, at about one moment."""
        return [need for owner in self._living() for need in self._needs_of(owner, believing=True)]

    def parties(self) -> set[Owner]:
        """Everybody who waits, and everybody who stands in the way of one who does."""
        needs = [need for owner in self._living() for need in self._needs_of(owner)]
        # Thousands may wait for the same thousand: those are gone through once.
        blockers = {id(need.blockers): need.blockers for need in needs}
        return {*self._waits.copy(), *chain.from_iterable(blockers.values())}

    def now(self) -> tuple[Wait, ...]:
        """Every wait there is, at about one moment, without stacks. Of many holders the first 8 are named."""
        return tuple(_told(owner, need) for owner in self._living() for need in self._needs_of(owner, believing=True))

    def _living(self) -> list[Owner]:
        # A task whose loop was closed under it ends no wait any more, and would be kept alive from here for ever.
        owners = list(self._waits)
        for owner in owners:
            loop = loop_of(owner)
            if loop is not None and loop.is_closed():
                self._waits.pop(owner, None)
        return [owner for owner in owners if owner in self._waits]

    def _may_be_stuck(self, waiting: Waiting) -> bool:
        # The usual case, and all that most waits pay: somebody in the way is not waiting for anything.
        if not self._waits.get(waiting.owner):
            return False
        return any(not self._can_be_met(need) for need in self._needs_of(waiting.owner))

    def _can_be_met(self, need: OwnerNeed) -> bool:
        needed = need.needed
        for blocker in need.blockers if needed else ():
            if not self.is_blocked(blocker):
                needed -= 1
                if not needed:
                    return True
        return not needed

    def is_blocked(self, owner: Owner) -> bool:
        """Whether it waits for anything just now. One that does not can go on, as far as anybody knows. Does not block."""
        return owner in self._waits or loop_of(owner) in self._blocked_loops or awaited_by(owner) is not None

    def _confirmed_knot(self, waiting: Waiting, *, believing: bool = False) -> tuple[tuple[Owner, ...], Seen]:
        before: Seen = {}
        for _ in range(LOOKS):
            seen = self._look(waiting.owner, believing)
            knot = knot_of(waiting.owner, seen)
            if not knot:
                return (), seen
            # All that is stuck must stand still, not the knot alone: that another one's way is barred may be part of why.
            if all(_are_equal(before.get(owner, ()), seen[owner]) for owner in stuck(seen)):
                return knot, seen
            before = seen
        return (), before

    def _look(self, start: Owner, believing: bool) -> Seen:
        seen: Seen = {}
        line = [start]
        for owner in line:  # grows while it is walked
            if owner in seen:
                continue
            seen[owner] = needs = self._needs_of(owner, believing=believing)
            line.extend(blocker for need in needs for blocker in need.blockers if blocker not in seen)
        return seen

    def _needs_of(self, owner: Owner, *, believing: bool = False) -> list[OwnerNeed]:
        needs: list[OwnerNeed] = []
        wait = self._waits.get(owner)
        if wait is not None and not wait[0].is_decided():
            need = wait[1]()
            if need is not None and (believing or not need.is_hearsay):
                needs.append(Need(need.resource, need.blockers, need.needed, wait[0], need.outsiders, need.is_hearsay))
        elif wait is None:
            awaited = awaited_by(owner)
            if awaited is not None:
                what = "the end of " + " or ".join(name_of(task) for task in awaited.tasks)
                needs.append(Need(what, awaited.tasks, 1, awaited.future))
        loop = loop_of(owner)
        if loop is not None:
            ident = self._blocked_loops.get(loop)
            if ident is not None:  # a task goes on only when its loop does
                needs.append(Need("its event loop", (ident,), 1, loop))
        return needs


def _are_equal(some: Sequence[OwnerNeed], others: Sequence[OwnerNeed]) -> bool:
    return len(some) == len(others) and all(
        one.wait is other.wait and one.needed == other.needed and set(one.blockers) == set(other.blockers)
        for one, other in zip(some, others, strict=True)
    )


def _waits_within(knot: Sequence[Owner], seen: Seen) -> list[Wait]:
    members = set(knot)
    stacks = {owner: stack_of(owner) for owner in knot}
    return [
        _as_wait(owner, need, stacks) for owner in knot for need in seen[owner] if not members.isdisjoint(need.blockers)
    ]


def _told(owner: Owner, need: OwnerNeed) -> Wait:
    more = len(need.blockers) - TOLD
    names = [name_of(blocker) for blocker in need.blockers[:TOLD]]
    if more > 0:
        names.append(f"{more} more")
    return Wait(need.resource, name_of(owner), (*names, *need.outsiders))


def _as_wait(owner: Owner, need: OwnerNeed, stacks: dict[Owner, tuple[str, ...]] | None = None) -> Wait:
    known = stacks or {}
    return Wait(
        resource=need.resource,
        waiter=name_of(owner),
        holders=(*(name_of(blocker) for blocker in need.blockers), *need.outsiders),
        waiter_stack=known.get(owner, ()),
        holder_stacks=(*(known.get(blocker, ()) for blocker in need.blockers), *(() for _ in need.outsiders))
        if known
        else (),
    )


WAITS = Waits()
"""The waits of this process."""
