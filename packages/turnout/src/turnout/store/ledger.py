"""Which days are derived and which wait for it, in memory; and the one mutex under which that changes.

The writer and the deriver write different tables, but what they write must agree: a day may count as derived only while
no event was added to it since. So each does what decides that — the writer its whole append, the deriver its commit —
inside `DayLedger.mutex`, and says so here before it leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

import msgspec

from seawall import Mutex
from seawall.clock import SYSTEM_CLOCK, Clock
from turnout.model.derived import NOTHING_DERIVED, Derived, runs_of

MOST_EVENTS = 400_000
"""Of the days derived at once: a second of work, and far below what the engine may hold in memory."""
MOST_DAYS = 400
"""Days derived at once, empty ones between them counted."""

Day = tuple[int, int]
"""A site, and one of its local days in days since 1970-01-01."""

_EPOCH = date(1970, 1, 1)


class Group(msgspec.Struct, frozen=True):
    """Days of one site to derive at once, both ends included. None of them is derived, and some may be empty."""

    site_id: int
    first: date
    last: date


class _Waiting(msgspec.Struct):
    events: int
    touched_s: float


class DayLedger:
    """The days of every site. Every method is for any thread; those that say so are to be called inside `mutex`."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.mutex = Mutex("store.days")
        self._clock = clock
        self._marked: dict[int, dict[int, int]] = {}  # guarded by self.mutex: events of derived days
        self._waiting: dict[int, dict[int, _Waiting]] = {}  # guarded by self.mutex
        self._unmarked: set[Day] = set()  # guarded by self.mutex: may still have their mark in the store
        self._watched: frozenset[Day] = frozenset()  # guarded by self.mutex
        self._is_touched = False  # guarded by self.mutex: a watched day was added to
        self._published: dict[int, Derived] = {}  # a site's value is replaced whole, so reading it needs no mutex

    def derived(self, site_id: int) -> Derived:
        """The derived days of a site. Never blocks.

        Read the store's version first: a day is gone from here before the version moves to the events that changed it.
        """
        return self._published.get(site_id, NOTHING_DERIVED)

    def reload(self, marks: Iterable[tuple[int, int, int]]) -> None:
        """Take over what the store has marked when it was opened: sites, days, their events. Waits for the mutex."""
        with self.mutex:
            known = self._marked.keys()
            self._marked, self._unmarked = {}, set()
            for site_id, day, events in marks:
                self._marked.setdefault(site_id, {})[day] = events
            for site_id in known | self._marked.keys():
                self._publish(site_id)

    def touch(self, days: Mapping[Day, int]) -> list[Day]:
        """Events are about to be added to these days (so many each): none of them counts as derived from now on.

        Returns the days whose marks have to go in the same transaction. To be called inside `mutex`, which is held until
        that transaction is over; follow a commit with `settle`.
        """
        now_s = self._clock.monotonic()
        for (site_id, day), events in days.items():
            waiting = self._waiting.setdefault(site_id, {})
            found = waiting.get(day)
            if found is None:
                found = waiting[day] = _Waiting(0, now_s)
            found.events += events
            found.touched_s = now_s
            if day in self._marked.get(site_id, ()):
                del self._marked[site_id][day]
                self._unmarked.add((site_id, day))
                self._publish(site_id)
        if not self._watched.isdisjoint(days):
            self._is_touched = True
        return sorted(self._unmarked)

    def settle(self) -> None:
        """The transaction of `touch` is committed. Inside `mutex`."""
        self._unmarked.clear()

    def found(self, days: Iterable[tuple[int, int, int]]) -> None:
        """These days of sites have so many events in the store; those not derived wait for it. Waits for the mutex."""
        with self.mutex:
            for site_id, day, events in days:
                if day not in self._marked.get(site_id, ()):
                    waiting = self._waiting.setdefault(site_id, {})
                    waiting.setdefault(day, _Waiting(events, float("-inf")))

    def next_group(self, over_before: date, quiet_s: float) -> Group | None:
        """Days to derive now, the latest of a site first. Waits for the mutex.

        A day is over when it lies before `over_before`, or when its site has events of a later day; and it must have
        been left alone for `quiet_s` seconds.
        """
        quiet_since_s = self._clock.monotonic() - quiet_s
        everywhere_over = _number(over_before)
        with self.mutex:
            for site_id, waiting in self._waiting.items():
                over = max(everywhere_over, self._latest(site_id))
                ready = [day for day, each in waiting.items() if day < over and each.touched_s <= quiet_since_s]
                if ready:
                    return self._group(site_id, sorted(ready, reverse=True))
        return None

    def waiting_days(self, over_before: date) -> int:
        """How many days are over and not derived. Waits for the mutex."""
        everywhere_over = _number(over_before)
        with self.mutex:
            over = {site_id: max(everywhere_over, self._latest(site_id)) for site_id in self._waiting}
            return sum(day < over[site_id] for site_id, waiting in self._waiting.items() for day in waiting)

    def postpone(self, group: Group) -> None:
        """Deriving the group did not work: let others come first, as if it had been touched now. Waits for the mutex."""
        now_s = self._clock.monotonic()
        with self.mutex:
            for day, waiting in self._waiting.get(group.site_id, {}).items():
                if _number(group.first) <= day <= _number(group.last):
                    waiting.touched_s = now_s

    def watch(self, group: Group) -> None:
        """The group is about to be read: from now on it is noted when one of its days is added to. Waits for the mutex."""
        with self.mutex:
            self._watched = frozenset((group.site_id, day) for day in _numbers(group))
            self._is_touched = False

    def finish(self, group: Group, events: Mapping[int, int], commit: Callable[[], object]) -> bool:
        """Commit what was derived from the watched group, unless an event was added to it meanwhile: then False.

        `events` says how many each of its days has.
        Waits for the mutex, and holds it while `commit` runs. Where `commit` raises, so does this, and no day counts as
        derived; since the commit may have happened all the same, the next append takes back the marks.
        """
        with self.mutex:
            watched, self._watched = self._watched, frozenset()
            if self._is_touched:
                return False
            try:
                commit()
            except BaseException:
                self._unmarked |= watched
                raise
            self._unmarked -= watched
            self._marked.setdefault(group.site_id, {}).update(events)
            waiting = self._waiting.get(group.site_id, {})
            for day in _numbers(group):
                waiting.pop(day, None)
            if not waiting:
                self._waiting.pop(group.site_id, None)
            self._publish(group.site_id)
            return True

    def forget(self, site_id: int) -> None:
        """The site has no derived days and none that waits. Inside `mutex`."""
        self._marked.pop(site_id, None)
        self._waiting.pop(site_id, None)
        if any(site == site_id for site, _ in self._watched):
            self._is_touched = True
        self._publish(site_id)

    def _latest(self, site_id: int) -> int:
        """The latest day of the site that is known to have events."""
        return max(max(self._waiting.get(site_id, ()), default=0), max(self._marked.get(site_id, ()), default=0))

    def _publish(self, site_id: int) -> None:
        days = self._marked.get(site_id)
        if days:
            self._published[site_id] = runs_of({_date(day): events for day, events in days.items()})
        else:
            self._published.pop(site_id, None)

    def _group(self, site_id: int, ready: list[int]) -> Group:
        """From the latest ready day back, as long as nothing lies between that is derived or not ready."""
        waiting, marked = self._waiting[site_id], self._marked.get(site_id, {})
        last = first = ready[0]
        events = waiting[last].events
        for day in ready[1:]:
            events += waiting[day].events
            is_empty_between = marked.keys().isdisjoint(range(day, first)) and waiting.keys().isdisjoint(
                range(day + 1, first)
            )
            if events > MOST_EVENTS or last - day >= MOST_DAYS or not is_empty_between:
                break
            first = day
        # Empty days on both sides belong to it, where derived days follow on them: then these are one run.
        for at in range(first - 1, first - 1 - MOST_DAYS, -1):
            if at in waiting:
                break
            if at in marked:
                first = at + 1
                break
        for at in range(last + 1, last + 1 + MOST_DAYS):
            if at in waiting:
                break
            if at in marked:
                last = at - 1
                break
        return Group(site_id, _date(first), _date(last))


def count_days(days: Iterable[tuple[int, int]]) -> Counter[Day]:
    """How many events of each day, from each event's site and wall clock (`local_ms`)."""
    return Counter((site_id, local_ms // _DAY_MS) for site_id, local_ms in days)


_DAY_MS = 24 * 3_600_000


def _numbers(group: Group) -> range:
    return range(_number(group.first), _number(group.last) + 1)


def _number(day: date) -> int:
    return (day - _EPOCH).days


def _date(number: int) -> date:
    return _EPOCH + timedelta(days=number)
