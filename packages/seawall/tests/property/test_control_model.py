"""A gate's decisions: what must hold after every step, whatever comes; and who is let in, against slow rules in words."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.control import Control, Visit
from seawall.core.limits import Fixed
from seawall.core.workload import Workload
from seawall.errors import Misuse

WORKLOADS = [
    Workload("sign-in", priority="critical", share=0.2, queue_limit=3, deadline_s=5.0),
    Workload("dashboard", priority="interactive", share=0.5, queue_limit=4, deadline_s=2.0, weights={"big": 2.0}),
    Workload("export", priority="background", queue_limit=2, deadline_s=1.0, burst_s=9.0, max_share=0.5),
    Workload("health", priority="critical", exempt=True),
]
NAMES = [workload.name for workload in WORKLOADS]

moves = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.tuples(st.sampled_from(NAMES), st.sampled_from(["a", "b", "big"]))),
        st.tuples(st.just("leave"), st.tuples(st.integers(0, 99), st.sampled_from(["success", "ignored", "dropped"]))),
        st.tuples(st.just("withdraw"), st.integers(0, 99)),
        st.tuples(st.just("time passes"), st.sampled_from([0.1, 1.0, 3.0])),
        st.tuples(st.just("expire"), st.none()),
        st.tuples(st.just("resize"), st.integers(1, 6)),
        st.tuples(st.just("close"), st.none()),
    ),
    max_size=70,
)


class Door:
    """The control, with everybody who ever came and what became of them, as seen from outside."""

    def __init__(self, limit: int, is_shadow: bool = False) -> None:
        self.limit = Fixed(limit)
        self.control = Control(self.limit, WORKLOADS, is_shadow)
        self.visits: list[Visit] = []
        self.now_s = 0.0
        self.lowered = False

    def those(self, state: str) -> list[Visit]:
        return [visit for visit in self.visits if visit.state == state]

    def arrive(self, name: str, tenant: str) -> Visit:
        visit = Visit(self.control.works[name], tenant, 1.0)
        self.visits.append(visit)
        self.control.arrive(visit, self.now_s, None, 0.5)
        return visit

    def move(self, move: str, detail) -> None:
        before = {id(v): v.state for v in self.visits}
        below = self.below_share()
        if move == "arrive":
            self.arrive(*detail)
        elif move == "leave" and (inside := self.those("inside")):
            self.control.leave(inside[detail[0] % len(inside)], detail[1], self.now_s)
        elif move == "withdraw" and (here := self.those("inside") + self.those("waiting")):
            self.control.withdraw(here[detail % len(here)], self.now_s)
        elif move == "time passes":
            self.now_s += detail
        elif move == "expire":
            for visit in self.those("waiting"):
                if self.now_s > visit.until_s:
                    self.control.expire(visit, self.now_s, 0.5)
        elif move == "resize":
            self.lowered |= detail < self.limit.seats
            self.limit.seats = detail
            self.control.settle(self.now_s)
        elif move == "close":
            self.control.is_closed = True
        let_in = [v for v in self.visits if before.get(id(v)) == "waiting" and v.state == "inside"]
        self.check_shares(below, let_in, move)

    def below_share(self) -> set[str]:
        """Who waits though it has fewer seats than its share has whole ones."""
        return {
            work.workload.name
            for work in self.control.works.values()
            if work.queue and work.busy < int(work.workload.share * self.limit.seats + 1e-9)
        }

    def check_shares(self, below: set[str], let_in: list[Visit], move: str) -> None:
        # One departure gives one seat: it goes to somebody below its share, where there is one.
        if move == "leave" and len(let_in) == 1 and below:
            assert let_in[0].work.workload.name in below

    def check(self) -> None:
        works = self.control.works.values()
        seated = [visit for visit in self.visits if visit.state == "inside" and visit.has_seat]
        assert len(seated) == self.control.taken == sum(work.busy for work in works)
        assert self.lowered or self.control.taken <= self.limit.seats
        for work in works:
            figures = self.control.statistics(work, self.now_s)
            own = [visit for visit in self.visits if visit.work is work]
            assert figures.arrivals_total == len(own)
            assert figures.arrivals_total == (
                figures.done_total
                + figures.refused_total
                + figures.cancelled_total
                + figures.waiting
                + figures.in_flight
            )
            assert figures.in_flight == sum(visit.state == "inside" for visit in own)
            assert figures.waiting == sum(visit.state == "waiting" for visit in own)
            assert figures.waiting <= work.workload.queue_limit
            assert self.lowered or work.busy <= work.seats_at_most
            # Work conserving: a seat is free only where nobody waits who may have it.
            assert not (work.queue and self.control.taken < self.limit.seats and work.busy < work.seats_at_most)
            assert figures.refused_total == sum(visit.refusal is not None for visit in own)


@settings(deadline=None)
@given(limit=st.integers(1, 6), moves=moves)
def test_whatever_comes_all_are_accounted_for_and_no_limit_is_passed(limit: int, moves) -> None:
    door = Door(limit)
    for move, detail in moves:
        door.move(move, detail)
        door.check()
    door.limit.seats = 1000
    for visit in door.those("inside") + door.those("waiting"):
        door.control.withdraw(visit, door.now_s)
    door.check()
    assert door.control.is_empty()
    assert door.control.taken == 0


@settings(deadline=None)
@given(limit=st.integers(1, 3), moves=moves)
def test_in_shadow_nobody_is_refused_and_all_are_accounted_for(limit: int, moves) -> None:
    door = Door(limit, is_shadow=True)
    for move, detail in moves:
        if move not in ("close", "expire"):
            door.move(move, detail)
        door.check()
        assert not any(visit.refusal for visit in door.visits)
    for visit in door.those("inside") + door.those("waiting"):
        door.control.leave(visit, "success", door.now_s)
    door.check()
    assert door.control.is_empty()


def run_crowded(workloads: list[Workload], seats: int, hold_s: dict[str, float], seconds: float) -> dict[str, float]:
    """Everybody always has somebody waiting. Returns each workload's part of the time of all seats."""
    control = Control(Fixed(seats), workloads)
    used = {workload.name: 0.0 for workload in workloads}
    inside: list[tuple[float, Visit]] = []
    now_s, chance = 0.0, random.Random(1)

    def fill() -> None:
        for workload in workloads:
            work = control.works[workload.name]
            while len(work.queue) < 3:
                visit = Visit(work, "", 1.0)
                control.enter(visit, now_s) or waiting(visit)
                note(visit)

    def waiting(visit: Visit) -> None:
        visit.work.service_s = None  # a queue without prediction, so that it stays full
        control.arrive(visit, now_s, None, 0.5)

    def note(visit: Visit) -> None:
        if visit.state == "inside":
            inside.append((now_s + hold_s[visit.work.workload.name] * chance.uniform(0.5, 1.5), visit))

    fill()
    while now_s < seconds:
        inside.sort(key=lambda pair: pair[0])
        now_s, visit = inside.pop(0)
        used[visit.work.workload.name] += now_s - visit.inside_s
        for changed in control.leave(visit, "success", now_s):
            note(changed)
        fill()
    total = sum(used.values())
    return {name: part / total for name, part in used.items()}


def patient(name: str, **fields) -> Workload:
    return Workload(name, deadline_s=1e9, queue_limit=100, **fields)


def test_a_share_of_a_single_seat_is_that_part_of_its_time() -> None:
    workloads = [patient("urgent", priority="critical"), patient("slow", priority="background", share=0.25)]
    parts = run_crowded(workloads, 1, {"urgent": 0.1, "slow": 1.0}, 4_000.0)
    assert parts["slow"] == pytest.approx(0.25, abs=0.03)


def test_shares_are_of_seats_and_not_of_requests() -> None:
    workloads = [patient("short", share=0.5), patient("long", share=0.5)]
    parts = run_crowded(workloads, 5, {"short": 0.01, "long": 1.0}, 400.0)
    assert parts["long"] == pytest.approx(0.5, abs=0.05)


def test_what_no_share_claims_goes_by_priority() -> None:
    workloads = [
        patient("urgent", priority="critical"),
        patient("usual", priority="default", share=0.25),
        patient("late", priority="background"),
    ]
    parts = run_crowded(workloads, 4, {"urgent": 0.1, "usual": 0.1, "late": 0.1}, 200.0)
    assert parts["usual"] == pytest.approx(0.25, abs=0.02)
    assert parts["urgent"] == pytest.approx(0.75, abs=0.02)


def test_a_lent_seat_goes_back_to_the_workload_whose_share_it_is_at_the_next_departure() -> None:
    control = Control(Fixed(2), [Workload("owner", share=0.5), Workload("guest", priority="critical")])
    guests = [Visit(control.works["guest"], "", 1.0) for _ in range(3)]
    for guest in guests:
        control.arrive(guest, 0.0, None, 0.5)
    owner = Visit(control.works["owner"], "", 1.0)
    control.arrive(owner, 0.0, None, 0.5)
    assert [v.state for v in (*guests, owner)] == ["inside", "inside", "waiting", "waiting"]
    assert control.leave(guests[0], "success", 1.0) == [owner]


def test_who_would_wait_too_long_is_refused_on_arrival_and_told_when_the_queue_has_drained() -> None:
    control = Control(Fixed(2), [Workload("page", deadline_s=1.0)])
    work = control.works["page"]
    work.service_s = 0.4
    visits = [Visit(work, "", 1.0) for _ in range(8)]
    for visit in visits:
        control.arrive(visit, 0.0, None, 0.25)
    # Two seats, 0.4 s each: five departures a second. So five can be let in within a second, and the sixth not.
    assert [v.state for v in visits] == ["inside"] * 2 + ["waiting"] * 5 + ["over"]
    refusal = visits[-1].refusal
    assert refusal is not None
    assert (refusal.reason, refusal.retry_after_s) == ("wait", pytest.approx(1.5))


def test_a_burst_may_wait_longer_than_a_queue_that_stands() -> None:
    control = Control(Fixed(1), [Workload("page", deadline_s=0.5, burst_s=2.0)])
    work = control.works["page"]
    work.service_s = 0.1
    inside: list[Visit] = []

    def arrive(count: int, now_s: float) -> list[str]:
        visits = [Visit(work, "", 1.0) for _ in range(count)]
        for visit in visits:
            control.arrive(visit, now_s, None, 0.5)
        inside.extend(visit for visit in visits if visit.state == "inside")
        return [visit.state for visit in visits]

    def serve(count: int, now_s: float) -> None:
        for _ in range(count):
            inside.extend(v for v in control.leave(inside.pop(), "ignored", now_s) if v.state == "inside")

    # Ten departures a second: within two seconds twenty, so that many wait who come at once.
    assert arrive(30, 0.0) == ["inside"] + ["waiting"] * 20 + ["over"] * 9
    serve(10, 1.0)
    assert arrive(12, 1.0) == ["waiting"] * 10 + ["over"] * 2
    # It has stood for two seconds: now only those within half a second.
    serve(18, 2.0)
    assert len(work.queue) == 2
    assert arrive(5, 2.0) == ["waiting"] * 3 + ["over"] * 2
    # Once it was empty, what comes is a burst again; so are those who come soon after.
    serve(6, 2.5)
    assert control.is_empty()
    assert arrive(10, 3.0) == ["inside"] + ["waiting"] * 9
    assert arrive(20, 4.9) == ["waiting"] * 11 + ["over"] * 9
    assert arrive(1, 5.0) == ["over"]


def test_a_forecast_that_was_once_too_long_shuts_nobody_out_for_good() -> None:
    workloads = [Workload("page", share=0.5, deadline_s=0.1), Workload("sign-in", share=0.5, deadline_s=1.0)]
    control = Control(Fixed(2), workloads)
    page, sign_in = control.works["page"], control.works["sign-in"]
    page.service_s = 1.0  # the machine was busy for a moment; a page takes 10 ms
    now_s, served, crowd = 0.0, 0, [Visit(sign_in, "", 1.0) for _ in range(10)]
    for visit in crowd:
        control.arrive(visit, now_s, None, 0.5)
    for _ in range(60):
        crowd.append(Visit(sign_in, "", 1.0))
        control.arrive(crowd[-1], now_s, None, 0.5)
        pages = [Visit(page, "", 1.0) for _ in range(3)]
        for visit in pages:
            control.arrive(visit, now_s, None, 0.5)
        control.leave(next(v for v in crowd if v.state == "inside"), "success", now_s)
        now_s += 0.01
        for visit in pages:
            served += visit.state == "inside"
            control.leave(visit, "success", now_s)
    assert served >= 30
    assert page.service_s < 0.1


def test_a_callers_own_deadline_counts_with_the_time_it_takes_to_be_served() -> None:
    control = Control(Fixed(1), [Workload("page", deadline_s=10.0)])
    work = control.works["page"]
    work.service_s = 1.0
    control.arrive(Visit(work, "", 1.0), 0.0, None, 0.5)
    assert control.refusal_for(work, "", 0.0, 1.9, 0.5).reason == "wait"
    assert control.refusal_for(work, "", 0.0, 2.1, 0.5) is None


def test_in_a_full_queue_the_tenant_that_has_most_there_makes_room() -> None:
    control = Control(Fixed(1), [Workload("page", queue_limit=4)])
    work = control.works["page"]

    def arrive(tenant: str) -> Visit:
        visit = Visit(work, tenant, 1.0)
        changed = control.arrive(visit, 0.0, None, 0.5)
        assert all(v.refusal.reason == "tenant" for v in changed)
        return visit

    loud = [arrive("loud") for _ in range(6)]
    assert [v.state for v in loud] == ["inside"] + ["waiting"] * 4 + ["over"]
    assert loud[5].refusal.reason == "full"  # nobody else waits: the service is full, no tenant is to blame
    quiet = arrive("quiet")
    assert (quiet.state, loud[4].state) == ("waiting", "over")
    again = arrive("loud")
    assert again.refusal.reason == "tenant"
    assert arrive("third").state == "waiting"
    assert [v.state for v in loud[1:4]] == ["waiting", "waiting", "over"]


def test_who_is_too_late_is_not_let_in_though_its_timer_has_not_told_yet() -> None:
    control = Control(Fixed(1), [Workload("page", deadline_s=1.0)])
    visits = [Visit(control.works["page"], "", 1.0) for _ in range(2)]
    for visit in visits:
        control.arrive(visit, 0.0, None, 0.5)
    assert control.leave(visits[0], "success", 1.5) == [visits[1]]
    assert visits[1].refusal.reason == "late"
    assert control.taken == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": "urgent"},
        {"share": 1.5},
        {"share": 0.5, "max_share": 0.4},
        {"queue_limit": -1},
        {"deadline_s": 0.0},
        {"burst_s": -1.0},
        {"weights": {"a": 0.0}},
    ],
)
def test_a_workload_that_makes_no_sense_is_misuse(fields) -> None:
    with pytest.raises(Misuse):
        Workload("page", **fields)


def test_shares_above_one_and_equal_names_are_misuse() -> None:
    with pytest.raises(Misuse, match="come to"):
        Control(Fixed(1), [Workload("a", share=0.6), Workload("b", share=0.6)])
    with pytest.raises(Misuse, match="different names"):
        Control(Fixed(1), [Workload("a"), Workload("a")])
    with pytest.raises(Misuse):
        Fixed(0)
