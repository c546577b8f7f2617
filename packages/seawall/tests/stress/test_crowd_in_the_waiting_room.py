"""Ten thousand come to a gate that can serve half of them in time: real desk, real decisions, time that only passes here."""

import heapq
import random
from collections.abc import Callable
from itertools import count

import pytest

from seawall.admission.answers import Answer
from seawall.admission.room_desk import Ask, Desk
from seawall.admission.room_look import Look
from seawall.core.control import Control, Refusal, Visit
from seawall.core.gate_statistics import Capacity
from seawall.core.limits import Fixed
from seawall.core.room_line import DUE_LIMIT
from seawall.core.room_ticket import Signer
from seawall.core.room_times import LOOKS_PER_S
from seawall.core.workload import Workload
from seawall.testing import ManualClock

SEATS, SERVICE_S, QUEUE = 4, 0.05, 16
CAPACITY_PER_S = SEATS / SERVICE_S


class World:
    """The gate's control, the desk, and what happens when."""

    def __init__(self, seed: int, seats: int = SEATS, queue: int = QUEUE, deadline_s: float = 2.0) -> None:
        random.seed(seed)  # which is where the desk has its jitter from
        self.dice = random.Random(seed)
        self.clock = ManualClock(time_s=1e9)
        self.control = Control(Fixed(seats), [Workload("pages", queue_limit=queue, deadline_s=deadline_s)])
        self.deadline_s = deadline_s
        self.work = self.control.works["pages"]
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.order = count()
        self.inside: dict[Visit, Callable[[Refusal | None], None]] = {}
        self.starts: dict[Visit, Callable[[], None]] = {}
        self.looks: list[float] = []
        self.restart()

    def restart(self) -> None:
        self.desk = Desk("pages", Signer([b"k" * 16], "pages"), Look(), int(self.now * 1000), 900.0, 600.0, self.clock)

    @property
    def now(self) -> float:
        return self.clock.time()

    def capacity(self, workload: str) -> Capacity:
        return self.control.capacity(self.work)

    def later(self, after_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + after_s, next(self.order), do))

    def run(self) -> None:
        while self.events:
            at_s, _, do = heapq.heappop(self.events)
            self.clock.advance(max(0.0, at_s - self.now))
            do()

    def serve(self, done: Callable[[Refusal | None], None], begun: Callable[[], None]) -> None:
        """One request at the gate: `begun` when it is let in, `done` when it is over or refused."""
        visit = Visit(self.work, "", 1.0)
        self.starts[visit] = begun
        self.inside[visit] = done
        self.settle([visit, *self.control.arrive(visit, self.clock.monotonic(), None, self.dice.random())])
        if visit.state == "waiting":
            self.later(
                self.deadline_s + 0.001,
                lambda: self.settle([visit, *self.control.expire(visit, self.clock.monotonic(), 0.5)]),
            )

    def settle(self, visits: list[Visit]) -> None:
        for visit in visits:
            if visit.state == "inside" and visit in self.starts:
                self.starts.pop(visit)()
                self.later(self.dice.expovariate(1 / SERVICE_S), lambda visit=visit: self.leave(visit))
            elif visit.state == "over" and visit.refusal is not None and visit in self.starts:
                self.starts.pop(visit)
                self.inside.pop(visit)(visit.refusal)

    def leave(self, visit: Visit) -> None:
        self.settle(self.control.leave(visit, "success", self.clock.monotonic()))
        self.inside.pop(visit)(None)


class Person:
    """Comes, waits as the page tells, perhaps goes away; once in, asks for three pages, or as many as are to be had."""

    def __init__(self, world: World, leaves: bool, forges: bool, pages: int = 3) -> None:
        self.world, self.forges, self.wants, self.pages = world, forges, pages, 0
        self.cookies = ""
        self.state = "coming"
        self.came_s = world.now
        self.in_s: float | None = None
        self.places: list[int] = []
        self.told: list[tuple[float, float]] = []
        self.sent_back = 0
        self.generation = 0
        if leaves:
            world.later(world.dice.uniform(0.0, 60.0), self.go_away)
        self.ask()

    def go_away(self) -> None:
        if self.state in ("coming", "waiting"):
            self.state = "left"

    def keep(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name == b"set-cookie":
                self.cookies = value.decode().split(";")[0]

    def ask(self) -> None:
        if self.state == "left":
            return
        if self.forges and self.cookies and self.in_s is None and self.world.dice.random() < 0.1:
            self.cookies = self.cookies[:-3] + "abc"
            self.places.clear()
            self.told.clear()
        desk = self.world.desk
        caller = desk.visit(Ask("GET", False, wants_page=True, cookies=self.cookies), self.world)
        if caller.answer is not None:
            self.wait(caller)
            return

        def begun() -> None:
            cookie = desk.let_in(caller)
            if self.state == "left":
                return
            if cookie is not None:
                self.cookies = cookie.decode().split(";")[0]
            if self.in_s is None:
                self.in_s = self.world.now
                self.number = caller.ticket.number if caller.ticket is not None else None

        def done(refusal: Refusal | None) -> None:
            if refusal is not None:
                answer = desk.refused(caller, refusal)
                assert answer is not None
                caller.answer = answer
                self.wait(caller)
            elif self.state != "left":
                self.state = "inside"
                self.pages += 1
                if self.pages < self.wants:
                    self.world.later(self.world.dice.uniform(1.0, 10.0), self.ask)
                else:
                    self.state = "served"

        self.world.serve(done, begun)

    def wait(self, caller) -> None:
        standing = caller.standing
        if self.state == "left":
            return
        if self.in_s is not None and standing.state == "waiting":
            self.sent_back += 1
        self.state = "waiting" if self.in_s is None else "inside"
        self.keep(caller.answer)
        self.places.append(standing.place)
        if standing.state == "waiting" and standing.estimate_s is not None:
            self.told.append((self.world.now, standing.estimate_s))
        self.world.later(standing.look_s, self.look)

    def look(self) -> None:
        if self.state == "left":
            return
        self.world.looks.append(self.world.now)
        desk = self.world.desk
        caller = desk.visit(Ask("GET", False, looks="pages", cookies=self.cookies), self.world)
        answer = desk.look(caller)
        self.keep(answer)
        if caller.state == "waiting":
            caller.answer = answer
            self.wait(caller)
        else:
            self.ask()


def crowd(
    seed: int, size: int, per_s: float, leaving: float, restart_at_s: float | None = None
) -> tuple[World, list[Person]]:
    world, people = World(seed), []

    def come() -> None:
        people.append(Person(world, world.dice.random() < leaving, world.dice.random() < 0.05))
        if len(people) < size:
            world.later(world.dice.expovariate(per_s), come)

    come()
    if restart_at_s is not None:
        world.later(restart_at_s, world.restart)
    world.run()
    return world, people


@pytest.mark.parametrize(
    ("seed", "size", "leaving", "restart_at_s"), [(1, 10_000, 0.7, 30.0), (2, 3_000, 0.3, None), (3, 2_000, 0.0, 8.0)]
)
def test_everybody_who_stays_gets_in_and_nobody_is_lost(seed, size, leaving, restart_at_s) -> None:
    world, people = crowd(seed, size, per_s=160.0, leaving=leaving, restart_at_s=restart_at_s)
    served, left = (sum(person.state == state for person in people) for state in ("served", "left"))
    assert served + left == len(people) == size
    assert served >= size * (1 - leaving) * 0.95
    found, work = world.desk.statistics(), world.work
    assert found.called_total == found.in_total + found.missed_total + found.due
    assert (found.waiting, work.in_flight, len(work.queue)) == (0, 0, 0)
    assert work.arrivals == work.done + sum(work.refused.values())
    assert found.due <= DUE_LIMIT
    assert all(person.sent_back == 0 for person in people)
    assert [reason for reason, _ in found.invalid] == ["forged"]


def test_places_only_fall_first_come_is_first_called_and_the_told_time_comes_true() -> None:
    world, people = crowd(6, 4_000, per_s=160.0, leaving=0.3)
    honest = [person for person in people if not person.forges]
    assert all(person.places == sorted(person.places, reverse=True) for person in honest)
    waited = [person for person in honest if person.in_s is not None and person.places and max(person.places) > 0]
    assert len(waited) > 1_000
    # Called in order; who is called comes at its next look: so none is before another that came half a minute earlier.
    latest_s = 0.0
    for person in sorted(waited, key=lambda one: one.in_s):
        latest_s = max(latest_s, person.came_s)
        assert latest_s - person.came_s < 30.0
    begin_s = people[0].came_s
    busy = [person for person in people if person.in_s is not None and 30 <= person.in_s - begin_s < 120]
    used = len(busy) * 3 / 90 / CAPACITY_PER_S  # each asks for three pages
    assert 0.75 < used <= 1.05
    seconds: dict[int, int] = {}
    for at_s in world.looks:
        seconds[int(at_s)] = seconds.get(int(at_s), 0) + 1
    assert max(seconds.values()) < LOOKS_PER_S + 9 * CAPACITY_PER_S
    ratios = sorted(
        (person.in_s - at_s) / estimate_s
        for person in waited
        for at_s, estimate_s in person.told
        if estimate_s > 20 and at_s - begin_s > 30
    )
    assert len(ratios) > 1_000
    assert ratios[len(ratios) // 10] > 0.6
    assert ratios[len(ratios) * 9 // 10] < 1.5


@pytest.mark.parametrize(
    ("seats", "queue", "deadline_s", "size", "within"),
    [(1, 64, 5.0, 700, 1.15), (8, 64, 0.7, 3_000, 1.3)],
    ids=["sign-ins", "pages"],
)
def test_seats_are_kept_busy_from_the_beginning_where_everybody_comes_at_once(
    seats, queue, deadline_s, size, within
) -> None:
    world = World(1, seats, queue, deadline_s)
    began_s = world.now
    people = [Person(world, leaves=False, forges=False, pages=1) for _ in range(size)]
    world.run()
    assert all(person.state == "served" for person in people)
    last_s = max(person.in_s for person in people) - began_s
    assert last_s < within * size * SERVICE_S / seats + 2.0  # the first look comes after a second
    assert world.work.arrivals - size < size * 0.05  # nearly all are called when there is a place for them
