"""A queue in which tenants have equal right, however much each of them asks for.

Start-time fair queuing: Goyal, Vin and Cheng, "Start-time Fair Queuing: A Scheduling Algorithm for Integrated Services
Packet Switching Networks" (SIGCOMM 1996). Each item gets a start tag, the later of the queue's virtual time and its
tenant's last finish tag; the finish tag is the start plus cost over weight; the smallest start tag goes first, and the
virtual time is that of the item taken last. While two tenants both wait, what they are given differs by no more than one
item of each, in cost over weight, however fast or slow the server is: so no service time has to be known beforehand.

What differs: an item that leaves unserved gives its time back to its tenant, and everything is forgotten when the queue is
empty, as the paper does at the end of a busy period.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

FORGETS_ABOVE = 256
"""How many tenants without anything in the queue are remembered before those that are furthest behind are forgotten. They
lose nothing, or at most one turn."""


@dataclass(eq=False, slots=True)
class Place(Generic[T]):
    """An item in the queue."""

    item: T
    tenant: str
    charge: float
    number: int
    start: float = 0.0

    @property
    def key(self) -> tuple[float, int]:
        """Smallest first."""
        return self.start, self.number


class FairQueue(Generic[T]):
    """Items by tenant. First come, first served within a tenant; takes no time, knows no clock; for one thread at a time."""

    __slots__ = ("_finish", "_heaviest", "_loads", "_numbers", "_places", "_tenants", "_time", "load")

    def __init__(self) -> None:
        self._places: list[tuple[float, int, Place[T]]] = []  # sorted; the number makes each key unlike any other
        self._tenants: dict[str, deque[Place[T]]] = {}  # of those who have something here
        self._finish: dict[str, float] = {}
        self._loads: dict[str, float] = {}  # of those in _tenants
        # Loads as they were, the largest first; what is out of date is dropped when it comes to the front.
        self._heaviest: list[tuple[float, int, str]] = []
        self._time = 0.0
        self._numbers = 0
        self.load = 0.0
        """What all items come to in charges."""

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[T]:
        return (place.item for _, _, place in self._places)

    def push(self, item: T, tenant: str, charge: float) -> Place[T]:
        """Queue `item`. `charge` is its cost over its tenant's weight, above 0."""
        self._numbers += 1
        place = Place(item, tenant, charge, self._numbers)
        self._tenants.setdefault(tenant, deque()).append(place)
        self._put(place)
        self._weigh(place, charge)
        if len(self._finish) > FORGETS_ABOVE + 2 * len(self._places):
            self._forget()
        return place

    def pop(self) -> T:
        """Take the item whose turn it is. Raises IndexError where there is none."""
        _, _, place = self._places.pop(0)
        self._time = place.start
        self._tenants[place.tenant].popleft()  # the smallest tag of all is the smallest of its tenant
        self._weigh(place, -place.charge)
        return place.item

    def remove(self, place: Place[T]) -> None:
        """Take an item out of its turn; its tenant is not charged for it."""
        own = self._tenants[place.tenant]
        at = own.index(place)
        behind = list(own)[at + 1 :]
        for late in (place, *behind):
            del self._places[bisect_left(self._places, late.key)]
            own.pop()
        self._finish[place.tenant] = own[-1].start + own[-1].charge if own else place.start
        for late in behind:
            own.append(late)
            self._put(late)
        self._weigh(place, -place.charge)

    def turn_of(self, tenant: str) -> int:
        """How many would go before a newcomer of `tenant`."""
        return bisect_left(self._places, (self._start_of(tenant), self._numbers + 1))

    def position(self, place: Place[T]) -> int:
        """How many go before an item that is here."""
        return bisect_left(self._places, place.key)

    def count_of(self, tenant: str) -> int:
        """How many items `tenant` has here."""
        return len(self._tenants.get(tenant, ()))

    def tenants(self) -> int:
        """How many tenants have something here."""
        return len(self._tenants)

    def heaviest(self) -> Place[T]:
        """The newest item of the tenant that has most in charges here. Raises IndexError where the queue is empty."""
        while True:
            load, _, tenant = self._heaviest[0]
            if self._loads.get(tenant) == -load:
                return self._tenants[tenant][-1]
            heappop(self._heaviest)

    def load_of(self, tenant: str) -> float:
        """What the items of `tenant` come to in charges."""
        return self._loads.get(tenant, 0.0)

    def _weigh(self, place: Place[T], charge: float) -> None:
        """Note that its tenant has `charge` more here, or less."""
        tenant = place.tenant
        if not self._places:
            self._finish.clear()
            self._tenants.clear()
            self._loads.clear()
            self._heaviest.clear()
            self._time = self.load = 0.0
            return
        self.load += charge
        if not self._tenants[tenant]:
            del self._tenants[tenant]
            del self._loads[tenant]
            return
        load = self._loads[tenant] = self._loads.get(tenant, 0.0) + charge
        heappush(self._heaviest, (-load, -place.number, tenant))
        if len(self._heaviest) > 64 + 4 * len(self._loads):
            self._heaviest = [(-load, 0, tenant) for tenant, load in self._loads.items()]
            heapify(self._heaviest)

    def _start_of(self, tenant: str) -> float:
        return max(self._time, self._finish.get(tenant, 0.0))

    def _put(self, place: Place[T]) -> None:
        place.start = self._start_of(place.tenant)
        self._finish[place.tenant] = place.start + place.charge
        insort(self._places, (place.start, place.number, place))

    def _forget(self) -> None:
        idle = sorted((finish, tenant) for tenant, finish in self._finish.items() if tenant not in self._tenants)
        spared = len(idle) - FORGETS_ABOVE // 2
        for number, (finish, tenant) in enumerate(idle):
            if finish <= self._time or number < spared:
                del self._finish[tenant]
