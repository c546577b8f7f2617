"""docs/patterns/load-testing-honestly.md: a load tester that waits with the service does not see what people see."""

import asyncio
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

RATE_PER_S, TEST_S, USERS = 100, 10.0, 5
WORK_S, STALL = 0.005, (4.0, 5.0)  # one answer takes 5 ms; from the 4th second on it stands still for a second


@dataclass(frozen=True, slots=True)
class Request:
    """When it was to be sent, when it was, and when its answer came."""

    intended_s: float
    sent_s: float
    answered_s: float

    @property
    def from_intended_s(self) -> float:
        return self.answered_s - self.intended_s

    @property
    def from_sent_s(self) -> float:
        return self.answered_s - self.sent_s


class Service:
    """One worker, first come, first served, that stands still during `stall`."""

    def __init__(self, stall: tuple[float, float] | None = STALL) -> None:
        self.stall = stall
        self.free_s = 0.0

    def answer(self, sent_s: float) -> float:
        begun_s = max(sent_s, self.free_s)
        self.free_s = begun_s + WORK_S
        if self.stall is not None and begun_s < self.stall[1] and self.free_s > self.stall[0]:
            self.free_s += self.stall[1] - max(begun_s, self.stall[0])
        return self.free_s


def closed_loop(service: Service, users: int = USERS) -> list[Request]:
    """Each user sends its next request after the answer to the last, and not before its turn in the schedule."""
    every_s = users / RATE_PER_S
    nexts = [(user / RATE_PER_S, user) for user in range(users)]
    turns = dict.fromkeys(range(users), 0)
    heapify(nexts)
    requests = []
    while nexts:
        sent_s, user = heappop(nexts)
        if sent_s >= TEST_S:
            continue
        answered_s = service.answer(sent_s)
        requests.append(Request(user / RATE_PER_S + turns[user] * every_s, sent_s, answered_s))
        turns[user] += 1
        heappush(nexts, (max(answered_s, sent_s + every_s), user))
    return requests


def open_arrivals(service: Service) -> list[Request]:
    """Requests are sent when they are due, whatever became of those before: as people come."""
    due = [number / RATE_PER_S for number in range(int(RATE_PER_S * TEST_S))]
    return [Request(due_s, due_s, service.answer(due_s)) for due_s in due]


def open_arrivals_through(connections: int, service: Service) -> list[Request]:
    """As before, but the tester has only so many connections: a request that is due waits for one."""
    free_s = [0.0] * connections
    requests = []
    for number in range(int(RATE_PER_S * TEST_S)):
        due_s = number / RATE_PER_S
        sent_s = max(due_s, heappop(free_s))
        answered_s = service.answer(sent_s)
        heappush(free_s, answered_s)
        requests.append(Request(due_s, sent_s, answered_s))
    return requests


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def corrected(values: list[float], every_s: float) -> list[float]:
    """HdrHistogram's correction: for one that took long, also those that were not sent meanwhile."""
    return values + [value - n * every_s for value in values for n in range(1, int(value / every_s))]


def test_trap_a_closed_loop_reports_milliseconds_for_a_second_in_which_nobody_was_served() -> None:
    requests = closed_loop(Service())
    assert percentile([request.from_sent_s for request in requests], 0.99) < 0.03
    late = [request for request in requests if request.from_sent_s > 0.5]
    assert len(late) == USERS  # a hundred people would have come in that second; five waited, and sent nothing


def test_fix_open_arrivals_show_what_people_see() -> None:
    requests = open_arrivals(Service())
    assert 0.9 < percentile([request.from_intended_s for request in requests], 0.99) < 1.0
    late = [request for request in requests if request.from_intended_s > 0.5]
    assert len(late) > RATE_PER_S / 2


def test_trap_a_schedule_that_is_measured_from_the_sending_leaves_it_out_again() -> None:
    requests = open_arrivals_through(USERS, Service())
    assert percentile([request.from_sent_s for request in requests], 0.99) < 0.05


def test_fix_from_the_intended_start_a_late_tester_counts_its_own_lateness() -> None:
    requests = open_arrivals_through(USERS, Service())
    assert 0.9 < percentile([request.from_intended_s for request in requests], 0.99) < 1.0


def test_fix_what_was_left_out_can_be_put_back_where_only_a_closed_loop_was_recorded() -> None:
    sent = [request.from_sent_s for request in closed_loop(Service())]
    assert 0.8 < percentile(corrected(sent, USERS / RATE_PER_S), 0.99) < 1.0


def test_fix_without_a_stall_both_report_the_same() -> None:
    for measured in (closed_loop(Service(None)), open_arrivals(Service(None))):
        assert {round(request.from_intended_s, 9) for request in measured} == {WORK_S}


@given(st.floats(0.0, 8.0), st.floats(0.2, 1.5))
@settings(deadline=None, max_examples=50)
def test_fix_whenever_it_stalls_open_arrivals_never_look_better_than_the_closed_loop(at_s: float, for_s: float) -> None:
    stall = (at_s, at_s + for_s)
    closed = [request.from_sent_s for request in closed_loop(Service(stall))]
    opened = [request.from_intended_s for request in open_arrivals(Service(stall))]
    assert percentile(opened, 0.99) >= percentile(closed, 0.99) - 1e-9


@pytest.mark.parametrize("stall_s", [1.0, 2.0, 4.0])
def test_trap_the_longer_it_stands_still_the_less_a_closed_loop_asks(stall_s: float) -> None:
    stall = (4.0, 4.0 + stall_s)
    by_closed_loop, by_open_arrivals = (
        sum(stall[0] <= request.sent_s < stall[1] for request in load(Service(stall)))
        for load in (closed_loop, open_arrivals)
    )
    assert by_closed_loop <= 2 * USERS
    assert by_open_arrivals == pytest.approx(RATE_PER_S * stall_s, abs=1)


def test_trap_and_fix_the_same_with_real_tasks_that_a_service_keeps_waiting() -> None:
    async def main() -> tuple[int, int]:
        stalled = asyncio.Event()
        asked = 0

        async def service() -> None:
            nonlocal asked
            asked += 1
            await stalled.wait()

        async def user() -> None:
            while not stalled.is_set():
                await service()

        users = [asyncio.ensure_future(user()) for _ in range(USERS)]
        for _ in range(RATE_PER_S):  # a second's worth of turns
            await asyncio.sleep(0)
        by_the_closed_loop, asked = asked, 0
        arrivals = []
        for _ in range(RATE_PER_S):
            arrivals.append(asyncio.ensure_future(service()))
            await asyncio.sleep(0)
        by_open_arrivals = asked
        stalled.set()
        await asyncio.gather(*users, *arrivals)
        return by_the_closed_loop, by_open_arrivals

    assert asyncio.run(main()) == (USERS, RATE_PER_S)
