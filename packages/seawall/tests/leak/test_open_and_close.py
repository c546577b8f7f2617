import asyncio
import gc
import threading

from seawall import Batcher, Cache, LoopLag, Mutex, ResourcePool, SingleFlight, ThreadPool, Worker, snapshot


def use_everything() -> None:
    batcher = Batcher("leak", lambda items: None, max_items=5, capacity=5)
    worker = Worker("leak", lambda stop: stop.wait(None) and None)
    worker.start()
    flight, mutex = SingleFlight("leak"), Mutex("leak")
    cache = Cache("leak", max_items=5, fresh_s=0, stale_s=5)
    resources = ResourcePool("leak", object, max_size=2)

    async def main(pool: ThreadPool) -> None:
        lag = LoopLag("leak")
        lag.start()
        async with mutex:
            await asyncio.gather(batcher.put(1), pool.run(abs, -1), flight.run("k", lambda: asyncio.sleep(0)))
        async with resources.borrow():
            for _ in range(2):
                await cache.get("k", lambda: asyncio.sleep(0))
        lag.stop()

    with ThreadPool("leak", max_threads=8) as pool:
        nested = [pool.submit(lambda: pool.submit(abs, -1).result()) for _ in range(20)]
        asyncio.run(main(pool))
        assert [future.result(30) for future in nested] == [1] * 20
    resources.close()
    batcher.close(10)
    worker.stop(timeout_s=10)


def alive() -> set[threading.Thread]:
    # The pacer and the sweeper serve the whole process, and end by themselves when there is nothing to look at.
    return {thread for thread in threading.enumerate() if thread.name not in ("seawall-pacer", "seawall-sweeper")}


def test_opening_and_closing_everything_50_times_leaves_nothing_behind() -> None:
    use_everything()
    threads_before = alive()
    for _ in range(50):
        use_everything()
    gc.collect()
    assert alive() == threads_before
    taken = snapshot()
    for kind in (
        taken.locks,
        taken.semaphores,
        taken.pools,
        taken.resource_pools,
        taken.caches,
        taken.batchers,
        taken.flights,
        taken.workers,
        taken.loops,
    ):
        assert not [s for s in kind if s.name == "leak"]
