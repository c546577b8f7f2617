"""docs/patterns/how-much-capacity.md: a limit guessed too high, and how to reckon one from a few measurements."""

from collections import deque
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall import Fixed, Gate, Workload

TICKS_PER_S = 200
DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True)
class Service:
    """What a service brings with so many at work at once, by the Universal Scalability Law (Gunther, 1993).

    `rate_per_s` is what one alone brings; `contention` (σ) the part that goes one at a time; `coherency` (κ) what each costs
    each other one.
    """

    rate_per_s: float
    contention: float
    coherency: float

    def throughput_per_s(self, inside: int) -> float:
        others = inside - 1
        return self.rate_per_s * inside / (1 + self.contention * others + self.coherency * inside * others)

    def stay_s(self, inside: int) -> float:
        """Little's law: who is inside = what leaves a second × how long each stays."""
        return inside / self.throughput_per_s(inside)

    def peak(self) -> float:
        return float(((1 - self.contention) / self.coherency) ** 0.5)


def fitted(measured: dict[int, float]) -> Service:
    """From throughput measured at several limits, 1 among them: (N·X(1)/X(N) - 1) / (N - 1) = σ + κN is a straight line."""
    points = [
        (float(inside), (inside * measured[1] / rate - 1) / (inside - 1))
        for inside, rate in measured.items()
        if inside > 1
    ]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    slope = max(slope, 1e-9)
    return Service(measured[1], max(0.0, mean_y - slope * mean_x), slope)


def limit_of(service: Service, part_of_peak: float = 0.95) -> int:
    """The fewest seats that bring so much of the peak: as fast, and everybody inside stays for less long."""
    peak = max(1, round(service.peak()))
    enough = part_of_peak * service.throughput_per_s(peak)
    return next(seats for seats in range(1, peak + 1) if service.throughput_per_s(seats) >= enough)


def queue_limit_of(service: Service, limit: int, deadline_s: float, part: float = 0.75) -> int:
    """Who waits behind p others is let in after p / X seconds and stays N / X: so p up to deadline · X - N.

    Of three quarters of the deadline: in a crowd the queue is full to the brim, and whoever stands last is late at the least
    hiccup: then all are.
    """
    return max(0, int(part * deadline_s * service.throughput_per_s(limit)) - limit)


SERVICE = Service(rate_per_s=20.0, contention=0.05, coherency=0.005)


def good_each_second(service: Service, limit: int, queue_limit: int | None, load_per_s: list[int]) -> list[int]:
    """A simulation in ticks: how many of those that ended in each second did so within DEADLINE_S of their arrival.

    Those inside share what the service brings equally; the others wait in line, or are refused where it is full.
    """
    queue: deque[int] = deque()
    inside: list[tuple[float, int]] = []  # how much of its work is left, and when it came
    good = [0] * len(load_per_s)
    owed = 0.0
    for tick in range(TICKS_PER_S * len(load_per_s)):
        owed += load_per_s[tick // TICKS_PER_S] / TICKS_PER_S
        while owed >= 1:
            owed -= 1
            if queue_limit is None or len(queue) < queue_limit + limit - len(inside):
                queue.append(tick)
        while queue and len(inside) < limit:
            inside.append((1.0, queue.popleft()))
        if not inside:
            continue
        step = service.throughput_per_s(len(inside)) / len(inside) / TICKS_PER_S
        inside = [(left - step, came) for left, came in inside]
        ended = [came for left, came in inside if left <= 0]
        inside = [(left, came) for left, came in inside if left > 0]
        good[tick // TICKS_PER_S] += sum(tick - came <= DEADLINE_S * TICKS_PER_S for came in ended)
    return good


LOAD = [80] * 10 + [240] * 5 + [80] * 30  # three times as much for five seconds


def test_trap_two_hundred_seats_bring_less_than_one() -> None:
    assert SERVICE.throughput_per_s(200) < SERVICE.throughput_per_s(1)
    assert SERVICE.stay_s(200) > 10 > 0.2 > SERVICE.stay_s(14)


def test_trap_with_a_limit_too_high_five_bad_seconds_do_not_end() -> None:
    good = good_each_second(SERVICE, 200, None, LOAD)
    assert min(good[2:10]) >= 70  # nobody noticed before
    assert sum(good[20:]) == 0  # thirty seconds later the load is what it was, and nobody is served in time


def test_fix_with_the_limit_at_the_peak_and_a_short_queue_the_bad_seconds_end_by_themselves() -> None:
    limit = limit_of(SERVICE)
    good = good_each_second(SERVICE, limit, queue_limit_of(SERVICE, limit, DEADLINE_S), LOAD)
    assert min(good[2:]) >= 70  # in the bad seconds, too
    assert sum(good[20:]) >= 0.99 * 80 * 25


def test_trap_and_fix_a_queue_as_long_as_the_deadline_has_all_too_late_when_the_service_is_a_tenth_slower() -> None:
    limit, slower = limit_of(SERVICE), replace(SERVICE, rate_per_s=0.9 * SERVICE.rate_per_s)
    brim, short = (queue_limit_of(SERVICE, limit, DEADLINE_S, part) for part in (1.0, 0.75))
    assert sum(good_each_second(slower, limit, brim, [240] * 20)[5:]) == 0
    assert min(good_each_second(slower, limit, short, [240] * 20)[5:]) >= 85


def test_trap_at_the_peak_without_a_bound_on_the_queue_the_answers_come_too_late() -> None:
    good = good_each_second(SERVICE, limit_of(SERVICE), None, [120] * 60)  # a tenth more than it can do
    assert sum(good[40:]) == 0


def test_fix_three_measurements_tell_the_peak() -> None:
    found = fitted({seats: SERVICE.throughput_per_s(seats) for seats in (1, 4, 32)})
    assert found.contention == pytest.approx(SERVICE.contention)
    assert found.coherency == pytest.approx(SERVICE.coherency)
    assert round(found.peak()) == 14
    assert (limit_of(found), queue_limit_of(found, limit_of(found), DEADLINE_S)) == (10, 147)


services = st.builds(Service, st.floats(1, 1000), st.floats(0, 0.5), st.floats(0.0005, 0.1))


@given(services, st.lists(st.floats(0.97, 1.03), min_size=6, max_size=6))
def test_fix_measurements_that_are_off_by_three_in_a_hundred_cost_little(service: Service, off: list[float]) -> None:
    peak = max(4, round(service.peak()))
    seats = (1, 2, peak // 2 + 1, peak, 2 * peak, 4 * peak)
    limit = limit_of(fitted({n: service.throughput_per_s(n) * by for n, by in zip(seats, off, strict=True)}))
    best = service.throughput_per_s(max(1, round(service.peak())))
    assert service.throughput_per_s(limit) >= 0.75 * best


@given(services)
def test_fix_no_other_number_of_seats_brings_more_than_the_peak(service: Service) -> None:
    peak = service.peak()
    near = max(service.throughput_per_s(max(1, int(peak))), service.throughput_per_s(int(peak) + 1))
    assert all(service.throughput_per_s(seats) <= near * (1 + 1e-9) for seats in range(1, 200))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=40))
def test_fix_littles_law_holds_whatever_comes_and_however_long_it_stays(visits: list[tuple[int, int]]) -> None:
    until = max(came + stays for came, stays in visits)
    inside = [sum(came <= tick < came + stays for came, stays in visits) for tick in range(until)]
    rate, stay = len(visits) / until, sum(stays for _, stays in visits) / len(visits)
    assert sum(inside) / until == pytest.approx(rate * stay)


def test_fix_a_gate_is_made_of_the_two_numbers() -> None:
    limit = limit_of(SERVICE)
    page = Workload("page", queue_limit=queue_limit_of(SERVICE, limit, DEADLINE_S), deadline_s=DEADLINE_S)
    assert Gate("pages", Fixed(limit), [page]).statistics().limit == 10
