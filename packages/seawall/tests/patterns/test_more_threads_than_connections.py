"""The handbook's page docs/patterns/more-threads-than-connections.md: the trap, and the fix."""

import asyncio
from collections.abc import Callable

from seawall import ResourcePool, Semaphore, ThreadPool
from seawall.testing import Held

THREADS, CONNECTIONS, PEOPLE = 6, 2, 12


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1_000_000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")


class Slow:
    """Queries that end when the test says so."""

    def __init__(self) -> None:
        self.running: list[Held[str]] = []

    def query(self) -> str:
        held = Held("row")
        self.running.append(held)
        return held()

    async def until_running(self, count: int) -> None:
        await until(lambda: len(self.running) >= count)

    def let_all_go(self) -> None:
        for held in self.running:
            held.let_go()


async def end(slow: Slow, pages: list["asyncio.Task[str]"]) -> None:
    while not all(page.done() for page in pages):
        slow.let_all_go()
        await asyncio.sleep(0)
    assert {page.result() for page in pages} == {"row"}


def test_trap_people_who_wait_for_connections_take_the_threads_of_all_others() -> None:
    connections = ResourcePool("db", object, max_size=CONNECTIONS)
    slow = Slow()

    def page() -> str:
        with connections.borrow():
            return slow.query()

    async def main(pool: ThreadPool) -> None:
        pages = [asyncio.create_task(pool.run(page)) for _ in range(PEOPLE)]
        await until(lambda: pool.statistics().blocked == THREADS - CONNECTIONS)
        health = asyncio.create_task(pool.run(lambda: "healthy"))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not health.done()  # needs no connection, and waits for those who do
        figures = pool.statistics()
        assert (figures.busy, figures.blocked) == (THREADS, THREADS - CONNECTIONS)
        await end(slow, pages)
        assert await health == "healthy"

    with ThreadPool("handlers", min_threads=THREADS, max_threads=THREADS, spare_threads=0) as pool:
        asyncio.run(main(pool))


def test_fix_wait_for_a_place_before_taking_a_thread() -> None:
    connections = ResourcePool("db", object, max_size=CONNECTIONS)
    places = Semaphore("pages", CONNECTIONS)
    slow = Slow()

    def page() -> str:
        with connections.borrow():
            return slow.query()

    async def handle(pool: ThreadPool) -> str:
        async with places:  # a task waits here, which costs next to nothing
            return await pool.run(page)

    async def main(pool: ThreadPool) -> None:
        pages = [asyncio.create_task(handle(pool)) for _ in range(PEOPLE)]
        await slow.until_running(CONNECTIONS)
        assert await pool.run(lambda: "healthy") == "healthy"
        assert pool.statistics().blocked == 0
        assert len(places.statistics().waiters) == PEOPLE - CONNECTIONS
        await end(slow, pages)

    with ThreadPool("handlers", min_threads=THREADS, max_threads=THREADS, spare_threads=0) as pool:
        asyncio.run(main(pool))
