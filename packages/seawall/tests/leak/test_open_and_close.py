import asyncio
import gc
import threading

from seawall import Batcher, LoopLag, Mutex, SingleFlight, ThreadPool, Worker, snapshot


def use_everything() -> None:
    batcher = Batcher("leak", lambda items: None, max_items=5, capacity=5)
    worker = Worker("leak", lambda stop: stop.wait(None) and None)
    worker.start()
    flight, mutex = SingleFlight("leak"), Mutex("leak")

    async def main(pool: ThreadPool) -> None:
        lag = LoopLag("leak")
        lag.start()
        async with mutex:
            await asyncio.gather(batcher.put(1), pool.run(abs, -1), flight.run("k", lambda: asyncio.sleep(0)))
        lag.stop()

    with ThreadPool("leak", max_threads=2) as pool:
        asyncio.run(main(pool))
    batcher.close(10)
    worker.stop(timeout_s=10)


def test_opening_and_closing_everything_50_times_leaves_nothing_behind() -> None:
    use_everything()
    threads_before = threading.active_count()
    for _ in range(50):
        use_everything()
    gc.collect()
    assert threading.active_count() == threads_before
    taken = snapshot()
    for kind in (taken.locks, taken.pools, taken.batchers, taken.flights, taken.workers, taken.loops):
        assert not [s for s in kind if s.name == "leak"]
