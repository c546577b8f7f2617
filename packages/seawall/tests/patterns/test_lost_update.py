"""The handbook's page docs/patterns/lost-update.md: the trap, and the fix."""

import asyncio
import threading

from seawall import Mutex


class Store:
    """A counter somewhere else: reading and writing it takes a while, so others come in between."""

    def __init__(self) -> None:
        self.value = 0

    async def read(self) -> int:
        value = self.value
        await asyncio.sleep(0)
        return value

    async def write(self, value: int) -> None:
        await asyncio.sleep(0)
        self.value = value


def test_trap_two_that_read_before_either_writes_count_as_one() -> None:
    store = Store()

    async def count() -> None:
        store_value = await store.read()
        await store.write(store_value + 1)

    async def main() -> None:
        await asyncio.gather(*[count() for _ in range(100)])

    asyncio.run(main())
    assert store.value == 1  # 99 of 100 updates are lost


def test_fix_one_mutex_around_read_and_write_loses_nothing() -> None:
    store, mutex = Store(), Mutex("counter")

    async def count() -> None:
        async with mutex:
            await store.write(await store.read() + 1)

    async def main() -> None:
        await asyncio.gather(*[count() for _ in range(100)])

    asyncio.run(main())
    assert store.value == 100


def test_fix_the_same_mutex_holds_threads_and_tasks_apart() -> None:
    store, mutex = Store(), Mutex("counter")

    def count_in_thread() -> None:
        for _ in range(100):
            with mutex:
                value = store.value
                store.value = value + 1

    async def count() -> None:
        async with mutex:
            await store.write(await store.read() + 1)

    async def main() -> None:
        await asyncio.gather(*[count() for _ in range(100)])

    threads = [threading.Thread(target=count_in_thread) for _ in range(3)]
    for thread in threads:
        thread.start()
    asyncio.run(main())
    for thread in threads:
        thread.join()
    assert store.value == 400
