"""The handbook's page docs/patterns/lock-across-io.md: two traps, what finds them, and the fix."""

import asyncio
import threading

import pytest

from seawall import LongHold, Misuse, Mutex, Watchdog, add_observer, configure, remove_observer
from seawall.testing import ManualClock


class Service:
    """Something far away. Counts how many of its answers are awaited at once."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    async def fetch(self) -> str:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return "token"


def test_trap_one_slow_answer_inside_the_lock_and_all_requests_go_in_single_file() -> None:
    service, mutex, cache = Service(), Mutex("tokens"), {}

    async def handle(user: int) -> None:
        async with mutex:
            cache[user] = await service.fetch()

    async def main() -> None:
        await asyncio.gather(*[handle(user) for user in range(20)])

    asyncio.run(main())
    assert service.most == 1


def test_fix_fetch_outside_and_put_inside() -> None:
    service, mutex, cache = Service(), Mutex("tokens"), {}

    async def handle(user: int) -> None:
        token = await service.fetch()
        async with mutex:
            cache[user] = token

    async def main() -> None:
        await asyncio.gather(*[handle(user) for user in range(20)])

    asyncio.run(main())
    assert service.most == 20
    assert len(cache) == 20


def test_trap_a_threads_lock_held_across_an_await_stops_the_whole_loop() -> None:
    lock = threading.Lock()

    async def main() -> None:
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            with lock:
                inside.set()
                await go_on.wait()

        holder = asyncio.create_task(hold())
        await inside.wait()
        go_on.set()
        # Nothing hinders the holder any more; but the loop that would run it stands here. Without the timeout: for ever.
        assert not lock.acquire(timeout=0.05)
        await holder
        assert lock.acquire(timeout=0.05)
        lock.release()

    asyncio.run(main())


def test_found_a_with_that_would_wait_for_a_task_of_its_own_loop_is_misuse_at_once() -> None:
    mutex = Mutex("m")

    async def main() -> None:
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with mutex:
                inside.set()
                await go_on.wait()

        holder = asyncio.create_task(hold())
        await inside.wait()
        with pytest.raises(Misuse), mutex:
            pass
        go_on.set()
        await holder
        async with mutex:
            pass

    asyncio.run(main())


def test_found_the_watchdog_names_who_holds_it_and_the_line_where_that_one_waits() -> None:
    configure(level="watched")
    clock, mutex = ManualClock(), Mutex("tokens")
    watchdog = Watchdog(hold_s=1.0, clock=clock)
    seen: list[object] = []

    async def call_the_far_service(go_on: asyncio.Event) -> None:
        await go_on.wait()

    async def main() -> None:
        go_on = asyncio.Event()

        async def hold() -> None:
            async with mutex:
                await call_the_far_service(go_on)

        async def wait() -> None:
            async with mutex:
                pass

        tasks = [asyncio.create_task(hold(), name="holder"), asyncio.create_task(wait())]
        await asyncio.sleep(0)
        watchdog.look()
        clock.advance(1.5)
        watchdog.look()
        go_on.set()
        await asyncio.gather(*tasks)

    add_observer(seen.append)
    try:
        asyncio.run(main())
    finally:
        remove_observer(seen.append)
    assert isinstance(seen[0], LongHold)
    assert (seen[0].resource, seen[0].holder) == ("tokens", "task holder")
    assert any("in call_the_far_service" in line for line in seen[0].stack)
