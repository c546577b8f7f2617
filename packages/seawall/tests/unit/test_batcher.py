import asyncio
import threading

import pytest

from seawall import Batcher, Closed, DeadlineExceeded, Misuse, SeawallError, deadline


class Sink:
    """A flush that can be held back, and that fails on what it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def __call__(self, items: list[object]) -> None:
        self.entered.set()
        assert self.open.wait(10)
        self.batches.append(items)
        for item in items:
            if isinstance(item, BaseException):
                raise item


def test_a_lone_item_is_flushed_at_once_however_long_max_wait_is() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=10, max_wait_s=3600, capacity=10)
    batcher.put_sync("a", timeout_s=10)
    batcher.close(10)
    assert sink.batches == [["a"]]


def test_what_gathers_during_a_flush_is_one_batch_in_the_order_of_the_puts() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=3, capacity=100)

    async def main() -> None:
        sink.open.clear()
        first = asyncio.create_task(batcher.put(0))
        await asyncio.get_running_loop().run_in_executor(None, sink.entered.wait, 10)
        rest = [asyncio.create_task(batcher.put(n)) for n in range(1, 6)]
        await asyncio.sleep(0)
        assert batcher.statistics().pending == 6
        sink.open.set()
        await asyncio.gather(first, *rest)

    asyncio.run(main())
    batcher.close(10)
    assert sink.batches == [[0], [1, 2, 3], [4, 5]]


def test_an_exception_reaches_exactly_the_putters_of_its_batch_and_the_batcher_goes_on() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=2, capacity=100)

    async def main() -> list[object]:
        sink.open.clear()
        puts = [asyncio.create_task(batcher.put("x"))]
        await asyncio.get_running_loop().run_in_executor(None, sink.entered.wait, 10)
        puts += [asyncio.create_task(batcher.put(i)) for i in ("good", "good", ValueError("bad"), "beside", "good")]
        await asyncio.sleep(0)
        sink.open.set()
        return await asyncio.gather(*puts, return_exceptions=True)

    outcomes = asyncio.run(main())
    batcher.close(10)
    assert [type(o) for o in outcomes] == [type(None)] * 3 + [ValueError, ValueError, type(None)]
    assert batcher.statistics().failures_total == 1


def test_a_flush_that_dies_of_system_exit_is_told_to_its_putter_and_the_thread_comes_back() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=1, capacity=10)
    with pytest.raises(SeawallError, match="SystemExit"):
        batcher.put_sync(SystemExit(3), timeout_s=10)
    batcher.put_sync("after", timeout_s=10)
    assert batcher.statistics().restarts_total == 1
    batcher.close(10)
    assert sink.batches[-1] == ["after"]


def test_close_drains_even_when_the_flush_dies_meanwhile() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=1, capacity=10)

    async def main() -> list[object]:
        sink.open.clear()
        puts = [asyncio.create_task(batcher.put(i)) for i in ("a", SystemExit(1), "b")]
        await asyncio.get_running_loop().run_in_executor(None, sink.entered.wait, 10)
        with pytest.raises(DeadlineExceeded):
            batcher.close(timeout_s=0)
        with pytest.raises(Closed):
            await batcher.put("late")
        sink.open.set()
        return await asyncio.gather(*puts, return_exceptions=True)

    outcomes = asyncio.run(main())
    batcher.close(10)
    assert [type(o) for o in outcomes] == [type(None), SeawallError, type(None)]
    assert sink.batches[-1] == ["b"]


def test_a_put_that_is_cancelled_or_late_before_its_batch_is_withdrawn() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=10, capacity=10)

    async def main() -> None:
        sink.open.clear()
        first = asyncio.create_task(batcher.put("first"))
        await asyncio.get_running_loop().run_in_executor(None, sink.entered.wait, 10)
        cancelled = asyncio.create_task(batcher.put("cancelled"))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(DeadlineExceeded), deadline(0.01):
            await batcher.put("late")
        sink.open.set()
        await first
        await batcher.put("last")

    asyncio.run(main())
    batcher.close(10)
    assert sink.batches == [["first"], ["last"]]


def test_put_sync_gives_up_after_its_timeout() -> None:
    sink = Sink()
    sink.open.clear()
    batcher = Batcher("b", sink, max_items=1, capacity=1)
    with pytest.raises(DeadlineExceeded):
        batcher.put_many_sync(["begun", "withdrawn"], timeout_s=0.05)
    sink.open.set()
    batcher.close(10)
    assert sink.batches in ([["begun"]], [])


def test_put_many_keeps_its_items_together_and_splits_what_is_larger_than_a_batch() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=3, capacity=100)

    async def main() -> None:
        await batcher.put_many([])
        await batcher.put_many([1, 2, 3])
        await batcher.put_many([4, 5, 6, 7])

    asyncio.run(main())
    batcher.put_many_sync([8, 9], timeout_s=10)
    batcher.close(10)
    assert sink.batches[0] == [1, 2, 3]
    assert [item for batch in sink.batches for item in batch] == list(range(1, 10))
    assert all(len(batch) <= 3 for batch in sink.batches)


def test_no_more_than_capacity_counts_as_pending_and_the_rest_as_waiting() -> None:
    sink = Sink()
    sink.open.clear()
    batcher = Batcher("b", sink, max_items=1, capacity=2)

    async def main() -> None:
        puts = [asyncio.create_task(batcher.put(n)) for n in range(5)]
        await asyncio.sleep(0)
        figures = batcher.statistics()
        assert (figures.pending, figures.waiting) == (2, 3)
        sink.open.set()
        await asyncio.gather(*puts)

    asyncio.run(main())
    batcher.close(10)
    assert sink.batches == [[n] for n in range(5)]


def test_put_sync_on_a_loops_thread_is_misuse() -> None:
    batcher = Batcher("b", Sink(), max_items=1, capacity=1)

    async def main() -> None:
        batcher.put_sync(1)

    with pytest.raises(Misuse):
        asyncio.run(main())
    batcher.close()
    with pytest.raises(Closed):
        batcher.put_sync(1)


def test_it_lingers_for_more_only_after_a_batch_of_several_and_no_longer_than_until_it_is_full() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=3, max_wait_s=3600, capacity=100)

    async def main() -> None:
        await batcher.put("alone")
        await batcher.put("alone again")
        await batcher.put_many(["one", "two"])
        await asyncio.gather(*[batcher.put(n) for n in range(3)])

    asyncio.run(main())
    with pytest.raises(DeadlineExceeded):
        batcher.put_sync("waits for company", timeout_s=0.05)
    assert sink.batches == [["alone"], ["alone again"], ["one", "two"], [0, 1, 2]]
    batcher.close(10)


def test_close_does_not_wait_for_more_company() -> None:
    sink = Sink()
    batcher = Batcher("b", sink, max_items=3, max_wait_s=3600, capacity=100)
    batcher.put_many_sync(["one", "two"], timeout_s=10)
    thread = threading.Thread(target=lambda: batcher.put_sync("three"))
    thread.start()
    pause = threading.Event()
    for _ in range(1000):
        if batcher.statistics().pending:
            break
        pause.wait(0.005)
    batcher.close(10)
    thread.join(10)
    assert sink.batches == [["one", "two"], ["three"]]


def test_puts_of_a_loop_that_is_closed_hold_up_nobody_else() -> None:
    sink = Sink()
    sink.open.clear()
    batcher = Batcher("b", sink, max_items=10, capacity=10)
    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(batcher.put("abandoned"))
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert sink.entered.wait(10)
    loop.close()
    abandoned._log_destroy_pending = False
    sink.open.set()
    batcher.put_sync("next", timeout_s=10)
    batcher.close(10)
    assert sink.batches == [["abandoned"], ["next"]]


def test_a_flush_that_puts_into_its_own_batcher_is_misuse_and_not_a_hang() -> None:
    batcher: Batcher[int] = Batcher("b", lambda items: batcher.put_sync(1), max_items=1, capacity=1)
    with pytest.raises(Misuse, match="itself"):
        batcher.put_sync(0, timeout_s=30)
    batcher.close(30)
