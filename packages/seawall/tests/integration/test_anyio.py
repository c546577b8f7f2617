import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest

from seawall import Overloaded, ThreadPool
from seawall.integrations.anyio import use_pool

COLOUR = contextvars.ContextVar("colour", default="none")


def on_pool(main: Callable[[ThreadPool], Awaitable[None]], **sizes: int) -> None:
    with ThreadPool("anyio", **{"max_threads": 2} | sizes) as pool, use_pool(pool):
        asyncio.run(main(pool))


async def nested_waits(width: int) -> list[int]:
    """As many calls as there are threads, each of which waits for another one on a thread."""
    together = threading.Barrier(width)

    def parent(number: int) -> int:
        together.wait(30)
        return anyio.from_thread.run(anyio.to_thread.run_sync, abs, -number)

    return list(await asyncio.gather(*[anyio.to_thread.run_sync(parent, number) for number in range(width)]))


def test_trap_nested_waits_hang_stock_anyio() -> None:
    async def main() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 2
        waiting = asyncio.ensure_future(nested_waits(2))
        with anyio.move_on_after(0.3):
            await asyncio.shield(waiting)
        assert not waiting.done()
        assert limiter.statistics().tasks_waiting == 2  # for tokens that those who wait for them hold
        limiter.total_tokens = 4
        assert await waiting == [0, 1]

    asyncio.run(main())


def test_fix_nested_waits_end_in_a_pool_of_the_same_size() -> None:
    async def main(pool: ThreadPool) -> None:
        assert await nested_waits(2) == [0, 1]

    on_pool(main)


def test_calls_run_on_the_pool_with_their_context_and_errors_come_back() -> None:
    async def main(pool: ThreadPool) -> None:
        COLOUR.set("green")
        assert await anyio.to_thread.run_sync(COLOUR.get) == "green"
        assert (await anyio.to_thread.run_sync(lambda: threading.current_thread().name)).startswith("anyio-")
        with pytest.raises(ZeroDivisionError):
            await anyio.to_thread.run_sync(divmod, 1, 0)

    on_pool(main)


def test_what_asks_for_a_limiter_of_its_own_keeps_anyios_threads() -> None:
    async def main(pool: ThreadPool) -> None:
        limiter = anyio.CapacityLimiter(1)
        name = await anyio.to_thread.run_sync(lambda: threading.current_thread().name, limiter=limiter)
        assert not name.startswith("anyio-")

    on_pool(main)


def test_leaving_a_context_manager_goes_to_the_lane_for_clean_up() -> None:
    permit = threading.Semaphore(0)

    @contextlib.contextmanager
    def connection():
        yield
        permit.release()

    async def main(pool: ThreadPool) -> None:
        opened = connection()
        opened.__enter__()
        waiting = asyncio.ensure_future(anyio.to_thread.run_sync(permit.acquire))
        await anyio.to_thread.run_sync(opened.__exit__, None, None, None, limiter=anyio.CapacityLimiter(1))
        await waiting

    on_pool(main, max_threads=1)


def test_a_cancelled_call_is_waited_for_once_begun_and_never_begins_otherwise() -> None:
    begun, go_on, ran = threading.Event(), threading.Event(), []

    def held() -> None:
        begun.set()
        assert go_on.wait(30)
        ran.append("held")

    async def main(pool: ThreadPool) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, held)
            while not begun.is_set():
                await anyio.lowlevel.checkpoint()
            group.start_soon(anyio.to_thread.run_sync, ran.append, "queued")
            while not pool.statistics().queued:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
            asyncio.get_running_loop().call_soon(go_on.set)
        assert ran == ["held"]

    on_pool(main, max_threads=1)


def test_a_full_queue_raises_overloaded() -> None:
    async def main(pool: ThreadPool) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def held() -> None:
            begun.set()
            assert go_on.wait(30)

        first = asyncio.ensure_future(anyio.to_thread.run_sync(held))
        while not begun.is_set():
            await anyio.lowlevel.checkpoint()
        second = asyncio.ensure_future(anyio.to_thread.run_sync(abs, -1))
        while not pool.statistics().queued:
            await anyio.lowlevel.checkpoint()
        with pytest.raises(Overloaded):
            await anyio.to_thread.run_sync(abs, -1)
        go_on.set()
        await asyncio.gather(first, second)

    on_pool(main, max_threads=1, queue_limit=1)
