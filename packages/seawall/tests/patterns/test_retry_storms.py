"""docs/patterns/retry-storms.md: a pause of ten seconds, and the retries that keep the service down when it is over.

Time is counted in ticks of a second; nothing is measured. The service can do ten a tick and is asked for seven.
"""

import random
from collections import deque
from collections.abc import Callable

import pytest

from seawall.core.control import Control, Visit
from seawall.core.limits import Fixed
from seawall.core.workload import Workload

CAN, ASKED, PATIENCE, TRIES = 10, 7, 3, 4
PAUSE, END = range(50, 60), 400


class Budget:
    """One retry for each ten requests that were sent for the first time: retries never make more than a tenth."""

    def __init__(self) -> None:
        self.left = 10.0

    def sent(self) -> None:
        self.left = min(10.0, self.left + 0.1)

    def may_retry(self) -> bool:
        if self.left < 1:
            return False
        self.left -= 1
        return True


def plain_service(may_retry: Callable[[], bool], sent: Callable[[], None] = lambda: None) -> list[int]:
    """First come, first served, without an end; a client waits so long, then asks anew. Good answers by tick."""
    queue: deque[tuple[int, int]] = deque()  # (when it was asked, which try it was)
    good = [0] * END
    for tick in range(END):
        # Whose time is over asks again at once; the old request stays where it is, for nobody.
        retries = [tries for asked, tries in queue if tick - asked == PATIENCE and tries < TRIES and may_retry()]
        queue.extend((tick, tries + 1) for tries in retries)
        for _ in range(ASKED):
            sent()
            queue.append((tick, 1))
        for _ in range(0 if tick in PAUSE else min(CAN, len(queue))):
            asked, _ = queue.popleft()
            good[tick] += tick - asked < PATIENCE
    return good


def gated_service(seed: int) -> list[int]:
    """The same with a gate that refuses at once; its clients come again when they are told to, as often as before."""
    chance = random.Random(seed).random
    control = Control(Fixed(CAN), [Workload("page", queue_limit=20, deadline_s=float(PATIENCE - 1))])
    work = control.works["page"]
    good, later = [0] * END, [[1] * ASKED for _ in range(END)]
    inside: list[tuple[Visit, int]] = []
    waiting: dict[Visit, int] = {}

    def refused(visit: Visit, tick: int, tries: int) -> None:
        assert visit.refusal is not None
        back = tick + round(visit.refusal.retry_after_s)
        if tries < TRIES and back < END:
            later[back].append(tries + 1)

    for tick in range(END):
        changed: list[Visit] = []
        for visit in [] if tick in PAUSE else inside:
            changed += control.leave(visit[0], "success", float(tick))
            good[tick] += 1
        inside = inside if tick in PAUSE else []
        for visit in [one for one in waiting if one.until_s < tick]:
            changed += [visit, *control.expire(visit, float(tick), chance())]
        for tries in later[tick]:
            visit = Visit(work, "", 1.0)
            waiting[visit] = tries
            changed += [visit, *control.arrive(visit, float(tick), None, chance())]
        for visit in changed:
            if visit in waiting and visit.state != "waiting":
                tries = waiting.pop(visit)
                if visit.state == "inside":
                    inside.append((visit, tries))
                else:
                    refused(visit, tick, tries)
    assert work.arrivals == work.done + sum(work.refused.values()) + work.in_flight + len(work.queue)
    return good


def test_trap_retries_keep_the_service_down_for_ever_after_a_pause_of_ten_ticks() -> None:
    good = plain_service(lambda: True)
    assert good[40:50] == [ASKED] * 10
    assert sum(good[100:]) == 0


def test_trap_the_same_pause_without_retries_is_over_in_twenty_ticks() -> None:
    good = plain_service(lambda: False)
    assert good[90:] == [ASKED] * (END - 90)


def test_fix_a_budget_keeps_retries_a_tenth_and_the_service_comes_back() -> None:
    budget = Budget()
    good = plain_service(budget.may_retry, budget.sent)
    assert sum(good[200:]) >= 0.95 * ASKED * (END - 200)


@pytest.mark.parametrize("seed", range(5))
def test_fix_a_gate_is_back_within_ticks_even_when_every_client_retries(seed: int) -> None:
    good = gated_service(seed)
    assert sum(good[40:50]) == ASKED * 10
    # At once it works at its full width again, and then through those who were told to come later.
    assert sum(good[61:71]) >= 0.9 * CAN * 10
    assert sum(good[100:]) >= 0.95 * ASKED * (END - 100)
