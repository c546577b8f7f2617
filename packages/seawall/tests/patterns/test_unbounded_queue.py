"""docs/patterns/the-unbounded-queue.md: a queue without an end, whose work is done for people who have gone."""

import asyncio

import pytest

from seawall import Fixed, Gate, Overloaded, Workload

CROWD, PATIENCE = 40, 5


class Work:
    """Takes one turn a piece; the test gives the turns, so that time is counted and not measured."""

    def __init__(self) -> None:
        self.turns: asyncio.Queue[None] = asyncio.Queue()
        self.done: list[str] = []

    async def do(self, name: str) -> None:
        await self.turns.get()
        self.done.append(name)

    async def pass_(self, count: int) -> None:
        for _ in range(count):
            self.turns.put_nowait(None)
            await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def turns_until_done(work: Work, name: str, at_most: int = 200) -> int:
    before = len(work.done)
    while name not in work.done:
        await work.pass_(1)
        assert len(work.done) - before < at_most
    return len(work.done) - before


def test_trap_the_backlog_is_worked_off_for_nobody_and_the_next_one_waits_for_all_of_it() -> None:
    async def main() -> None:
        work, seat = Work(), asyncio.Semaphore(1)

        async def handler(name: str) -> None:
            async with seat:
                await work.do(name)

        # A plain handler never learns that its client has gone: nothing cancels it.
        handlers = [asyncio.ensure_future(handler(f"crowd {n}")) for n in range(CROWD)]
        await settle()
        await work.pass_(PATIENCE)  # as long as people wait; then they leave, and nobody is there any more
        handlers.append(asyncio.ensure_future(handler("the next one")))
        await settle()
        assert await turns_until_done(work, "the next one") == CROWD - PATIENCE + 1
        await asyncio.gather(*handlers)

    asyncio.run(main())


def test_fix_a_short_queue_refuses_at_once_and_those_who_leave_are_taken_out() -> None:
    async def main() -> None:
        work = Work()
        gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=PATIENCE - 1, deadline_s=60.0)])

        async def handler(name: str) -> None:
            async with gate.admit("page"):
                await work.do(name)

        handlers = [asyncio.ensure_future(handler(f"crowd {n}")) for n in range(CROWD)]
        await settle()
        refused = [task for task in handlers if task.done()]
        assert len(refused) == CROWD - PATIENCE  # who can't be served in time is told so at once
        assert all(isinstance(task.exception(), Overloaded) for task in refused)
        await work.pass_(2)
        for task in handlers[:4]:
            task.cancel()  # the middleware does so when a client disconnects
        await settle()
        handlers.append(asyncio.ensure_future(handler("the next one")))
        await settle()
        assert await turns_until_done(work, "the next one") == 2
        await asyncio.gather(*handlers, return_exceptions=True)
        assert work.done == ["crowd 0", "crowd 1", "crowd 4", "the next one"]

    asyncio.run(main())


@pytest.mark.parametrize("times", [2, 5, 20])
def test_fix_however_large_the_crowd_the_work_in_hand_stays_what_can_be_done(times: int) -> None:
    async def main() -> None:
        work = Work()
        gate = Gate("pages", Fixed(2), [Workload("page", queue_limit=4, deadline_s=60.0)])

        async def handler(name: str) -> None:
            async with gate.admit("page"):
                await work.do(name)

        handlers = [asyncio.ensure_future(handler(str(n))) for n in range(6 * times)]
        await settle()
        await work.pass_(6)
        await asyncio.gather(*handlers, return_exceptions=True)
        assert len(work.done) == 6
        (figures,) = gate.statistics().workloads
        assert figures.arrivals_total == figures.done_total + figures.refused_total == 6 * times

    asyncio.run(main())
