"""The handbook's page docs/patterns/a-blocked-event-loop.md: the traps, and the fixes."""

import asyncio
import threading

import pytest

from seawall import LoopLag, Misuse, Mutex, ThreadPool
from seawall.testing import Held


def test_trap_one_blocking_call_stops_every_other_task() -> None:
    async def main() -> None:
        answered = threading.Event()

        async def health() -> None:
            answered.set()

        async def page() -> bool:
            return answered.wait(0.1)  # a query, a file, a request: anything that blocks

        blocked = asyncio.create_task(page())
        asyncio.create_task(health())  # noqa: RUF006 - it ends before this function does
        assert await blocked is False  # while it waited, nobody else could do anything
        assert answered.is_set()  # and afterwards at once

    asyncio.run(main())


def test_fix_on_a_thread_of_a_pool_the_others_go_on() -> None:
    async def main(pool: ThreadPool) -> None:
        answered = threading.Event()

        async def health() -> None:
            answered.set()

        blocked = asyncio.create_task(pool.run(answered.wait, 30))
        asyncio.create_task(health())  # noqa: RUF006 - as above
        assert await blocked is True

    with ThreadPool("pages", max_threads=1) as pool:
        asyncio.run(main(pool))


def test_trap_a_plain_lock_taken_on_the_loop_can_stop_it_for_ever_and_seawalls_refuses() -> None:
    async def main() -> None:
        plain, mutex = threading.Lock(), Mutex("accounts")
        inside = asyncio.Event()

        async def hold() -> None:
            with plain:
                async with mutex:
                    inside.set()
                    await asyncio.sleep(0)

        holder = asyncio.create_task(hold())
        await inside.wait()
        assert not plain.acquire(timeout=0.1)  # without the time-out: for ever, since the holder needs this very loop
        with pytest.raises(Misuse, match="accounts"):
            mutex.acquire()
        await holder

    asyncio.run(main())


def test_fix_loop_lag_shows_a_stall_while_it_lasts() -> None:
    held, lag = Held(None), LoopLag("main")
    seen: list[float] = []

    def look() -> None:
        held.wait_begun()
        pause = threading.Event()
        while lag.statistics().lag_s < 0.05:
            pause.wait(0.005)
        seen.append(lag.statistics().lag_s)
        held.let_go()

    async def main() -> None:
        lag.start()
        held()  # blocks the loop until the other thread has seen it
        lag.stop()

    watcher = threading.Thread(target=look)
    watcher.start()
    asyncio.run(main())
    watcher.join(30)
    assert seen
