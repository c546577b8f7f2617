import asyncio
import threading

import pytest

from seawall import Overloaded, ThreadPool
from seawall.integrations.asyncio import use_as_default_executor


def test_to_thread_and_run_in_executor_go_to_the_pool_which_outlives_the_loop() -> None:
    async def main(pool: ThreadPool) -> tuple[str, str]:
        use_as_default_executor(pool)
        loop = asyncio.get_running_loop()
        return (
            await asyncio.to_thread(lambda: threading.current_thread().name),
            await loop.run_in_executor(None, lambda: threading.current_thread().name),
        )

    with ThreadPool("default", max_threads=1) as pool:
        assert asyncio.run(main(pool)) == ("default-0", "default-0")
        assert pool.submit(abs, -1).result(30) == 1


def test_a_full_pool_says_so_instead_of_queueing_without_end() -> None:
    go_on = threading.Event()

    async def main(pool: ThreadPool) -> None:
        use_as_default_executor(pool)
        loop = asyncio.get_running_loop()
        begun = asyncio.Event()
        held = [loop.run_in_executor(None, lambda: (loop.call_soon_threadsafe(begun.set), go_on.wait(30)))]
        await begun.wait()
        held.append(loop.run_in_executor(None, abs, -1))
        with pytest.raises(Overloaded):
            await asyncio.to_thread(abs, -1)
        go_on.set()
        await asyncio.gather(*held)

    with ThreadPool("default", max_threads=1, queue_limit=1) as pool:
        asyncio.run(main(pool))
