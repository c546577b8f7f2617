"""docs/patterns/shedding-or-back-pressure.md: slow down what can wait, and tell at once what cannot."""

import asyncio
import threading

from seawall import Batcher, Fixed, Gate, Overloaded, Workload

EVENTS, CAPACITY = 300, 8
PATIENCE_S = 60.0


class Journal:
    """What is slower than those who feed it, until it is told to go on."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.may_write = threading.Event()

    def write(self, rows: list[int]) -> None:
        assert self.may_write.wait(PATIENCE_S)
        self.rows += rows


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_trap_events_that_could_have_waited_are_refused_and_lost() -> None:
    async def main() -> None:
        stored: list[int] = []
        gate = Gate("journal", Fixed(1), [Workload("event", queue_limit=CAPACITY - 1)])
        may_write = asyncio.Event()

        async def store(event: int) -> None:
            async with gate.admit("event"):
                await may_write.wait()
                stored.append(event)

        # A reader of a file or a queue that goes on at full speed, and drops what is refused.
        tasks = [asyncio.ensure_future(store(event)) for event in range(EVENTS)]
        await settle()
        may_write.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(answer, Overloaded) for answer in answers) == EVENTS - CAPACITY
        assert len(stored) == CAPACITY

    asyncio.run(main())


def test_fix_the_reader_is_slowed_and_nothing_is_lost_and_memory_stays_bounded() -> None:
    journal = Journal()
    batcher = Batcher("journal", journal.write, max_items=4, capacity=CAPACITY)

    async def main() -> None:
        read, readers = 0, 3

        async def reader(number: int) -> None:
            nonlocal read
            for event in range(number, EVENTS, readers):
                read += 1
                await batcher.put(event)  # returns when it is stored: so each reader has one on its way

        tasks = [asyncio.ensure_future(reader(number)) for number in range(readers)]
        await settle()
        assert read == readers  # nothing more is read while the journal stands
        journal.may_write.set()
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)

    asyncio.run(main())
    batcher.close(timeout_s=PATIENCE_S)
    assert sorted(journal.rows) == list(range(EVENTS))


def test_trap_people_who_are_made_to_wait_do_not_come_more_slowly() -> None:
    async def main() -> None:
        seat, waiting = asyncio.Semaphore(1), 0

        async def page() -> None:
            nonlocal waiting
            waiting += 1
            async with seat:
                await asyncio.Event().wait()

        tasks = []
        for second in range(1, 6):
            tasks += [asyncio.ensure_future(page()) for _ in range(20)]
            await settle()
            assert waiting == 20 * second  # each second brings as many as before: nobody was slowed
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())


def test_fix_people_are_told_at_once_and_what_waits_is_bounded() -> None:
    async def main() -> None:
        gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=4, deadline_s=PATIENCE_S)])
        leave = asyncio.Event()

        async def page() -> None:
            async with gate.admit("page"):
                await leave.wait()

        tasks = []
        for _ in range(5):
            tasks += [asyncio.ensure_future(page()) for _ in range(20)]
            await settle()
            assert (gate.statistics().in_flight, gate.statistics().waiting) == (1, 4)
        refused = [task.exception() for task in tasks if task.done()]
        assert len(refused) == 95
        assert all(isinstance(error, Overloaded) and error.retry_after_s >= 1 for error in refused)
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
