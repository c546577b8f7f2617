"""docs/patterns/health-checks-under-load.md: a probe stands behind the crowd, and healthy processes are restarted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import pytest

from seawall import Fixed, Gate, Overloaded, ThreadPool, Workload
from seawall.testing import Held

CROWD, TURNS_PER_PROBE, FAILURE_THRESHOLD = 40, 2, 3  # a process has failed after so many probes in a row


class Pod(Protocol):
    """One process of a service. A request takes one turn of the one worker; a test gives the turns."""

    turns: asyncio.Queue[None]
    served: list[str]

    async def page(self, name: str) -> None: ...
    async def live(self) -> bool: ...


class OneLine:
    """Pages and probes are requests like all others, and stand in one line."""

    def __init__(self) -> None:
        self.seat = asyncio.Semaphore(1)
        self.turns: asyncio.Queue[None] = asyncio.Queue()
        self.served: list[str] = []

    async def page(self, name: str) -> None:
        async with self.seat:
            await self.turns.get()
            self.served.append(name)

    async def live(self) -> bool:
        async with self.seat:
            return True


class OwnLane:
    """Pages pass a gate; a probe has a lane of its own, and costs no seat."""

    def __init__(self, queue_limit: int = CROWD) -> None:
        pages = Workload("page", queue_limit=queue_limit, deadline_s=60.0)
        self.gate = Gate("web", Fixed(1), [pages, Workload("health", exempt=True)])
        self.turns: asyncio.Queue[None] = asyncio.Queue()
        self.served: list[str] = []
        self.is_starting = False

    async def page(self, name: str) -> None:
        async with self.gate.admit("page"):
            await self.turns.get()
            self.served.append(name)

    async def live(self) -> bool:
        async with self.gate.admit("health"):
            return True

    async def ready(self) -> bool:
        async with self.gate.admit("health"):
            return not self.is_starting and not self.gate.statistics().is_closed


class Orchestrator:
    """Probes a pod, and after FAILURE_THRESHOLD failures in a row starts it anew: what it had in hand is lost."""

    def __init__(self, start: Callable[[], Pod]) -> None:
        self.start = start
        self.pod = start()
        self.requests: list[asyncio.Task[None]] = []
        self.failures = 0
        self.restarts = 0
        self.lost = 0

    async def ask(self, count: int) -> None:
        self.requests += [asyncio.ensure_future(self.pod.page(str(number))) for number in range(count)]
        await settle()

    async def probe(self) -> bool:
        """Is it answered before the service has had TURNS_PER_PROBE turns?"""
        asked = asyncio.ensure_future(self.pod.live())
        await settle()
        for _ in range(TURNS_PER_PROBE):
            self.pod.turns.put_nowait(None)
            await settle()
        is_live = asked.done() and asked.result()
        asked.cancel()
        self.failures = 0 if is_live else self.failures + 1
        if self.failures == FAILURE_THRESHOLD:
            await self.restart()
        return is_live

    async def restart(self) -> None:
        self.restarts += 1
        self.failures = 0
        self.lost += await cut_off(self.requests)
        self.requests = []
        self.pod = self.start()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def cut_off(requests: list["asyncio.Task[None]"]) -> int:
    open_ones = [request for request in requests if not request.done()]
    for request in open_ones:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    return len(open_ones)


@asynccontextmanager
async def under_a_crowd(start: Callable[[], Pod]) -> AsyncIterator[Orchestrator]:
    orchestrator = Orchestrator(start)
    await orchestrator.ask(CROWD)
    yield orchestrator
    await cut_off(orchestrator.requests)


def test_trap_a_probe_behind_the_crowd_has_a_process_killed_that_works_as_fast_as_it_can() -> None:
    async def main() -> None:
        async with under_a_crowd(OneLine) as orchestrator:
            pod = orchestrator.pod
            for _ in range(FAILURE_THRESHOLD):
                assert not await orchestrator.probe()
            assert len(pod.served) == FAILURE_THRESHOLD * TURNS_PER_PROBE  # it had served one in each turn
            assert (orchestrator.restarts, orchestrator.lost) == (1, CROWD - len(pod.served))

    asyncio.run(main())


def test_trap_the_crowd_of_a_killed_process_goes_to_the_others_and_kills_them() -> None:
    async def main() -> None:
        load = 4  # a probe behind so many is answered before the third one fails
        pods = [Orchestrator(OneLine) for _ in range(3)]
        for pod in pods:
            await pod.ask(load)
        await pods[0].ask(CROWD - load)  # one of them has a bad moment
        for _ in range(FAILURE_THRESHOLD):
            await pods[0].probe()
        assert [pod.restarts for pod in pods] == [1, 0, 0]
        for pod in pods[1:]:  # while it starts, its clients try again at the others
            await pod.ask(pods[0].lost // 2)
            for _ in range(FAILURE_THRESHOLD):
                await pod.probe()
        assert [pod.restarts for pod in pods] == [1, 1, 1]
        for pod in pods:
            await cut_off(pod.requests)

    asyncio.run(main())


def test_trap_and_fix_liveness_that_asks_the_store_restarts_everybody_for_what_no_restart_mends() -> None:
    async def main() -> None:
        store_is_up = True

        class AsksTheStore(OwnLane):
            async def live(self) -> bool:
                return store_is_up  # as SELECT 1 does

        asking, not_asking = [Orchestrator(AsksTheStore) for _ in range(3)], [Orchestrator(OwnLane) for _ in range(3)]
        for is_up in (True, False, False):
            store_is_up = is_up
            for _ in range(FAILURE_THRESHOLD):
                for pod in (*asking, *not_asking):
                    await pod.probe()
        assert [pod.restarts for pod in asking] == [2, 2, 2]
        assert [pod.restarts for pod in not_asking] == [0, 0, 0]

    asyncio.run(main())


def test_fix_a_lane_of_its_own_answers_at_any_load_and_nothing_in_hand_is_lost() -> None:
    async def main() -> None:
        async with under_a_crowd(OwnLane) as orchestrator:
            while len(orchestrator.pod.served) < CROWD:
                assert await orchestrator.probe()
            assert (orchestrator.restarts, orchestrator.lost) == (0, 0)

    asyncio.run(main())


def test_fix_probes_take_no_seat_and_are_counted_apart() -> None:
    async def main() -> None:
        async with under_a_crowd(OwnLane) as orchestrator:
            await orchestrator.probe()
            assert isinstance(orchestrator.pod, OwnLane)
            pages, health = orchestrator.pod.gate.statistics().workloads
            assert (health.done_total, health.waiting) == (1, 0)
            assert pages.arrivals_total == CROWD

    asyncio.run(main())


def test_fix_a_busy_process_stays_ready_and_refuses_one_that_drains_does_not() -> None:
    async def main() -> None:
        pod = OwnLane(queue_limit=4)
        pod.is_starting = True
        assert (await pod.live(), await pod.ready()) == (True, False)  # no traffic yet, and no restart
        pod.is_starting = False
        requests = [asyncio.ensure_future(pod.page(str(number))) for number in range(CROWD)]
        await settle()
        refused = [request for request in requests if request.done()]
        assert len(refused) == CROWD - 5
        assert all(isinstance(request.exception(), Overloaded) for request in refused)
        assert (await pod.live(), await pod.ready()) == (True, True)  # its load stays here: it would crush the others
        pod.gate.close()
        assert (await pod.live(), await pod.ready()) == (True, False)
        await cut_off(requests)

    asyncio.run(main())


def test_fix_a_process_whose_loop_is_really_stuck_is_still_found() -> None:
    pod, blocking, loop = OwnLane(), Held(None), asyncio.new_event_loop()
    with ThreadPool("server", max_threads=1) as pool:
        serving = pool.submit(loop.run_forever)
        assert asyncio.run_coroutine_threadsafe(pod.live(), loop).result(30)
        loop.call_soon_threadsafe(blocking)
        blocking.wait_begun()
        probe = asyncio.run_coroutine_threadsafe(pod.live(), loop)
        with pytest.raises(TimeoutError):
            probe.result(0.05)
        blocking.let_go()
        assert probe.result(30)
        loop.call_soon_threadsafe(loop.stop)
        serving.result(30)
    loop.close()
