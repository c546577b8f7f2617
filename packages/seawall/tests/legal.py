"""Random work over every kind of thing that can be waited for, in layers: whoever is inside one waits only for later ones.

So none of it can ever be a deadlock, and whatever is said to be one is a false alarm. From left to right: the locks of a
ladder, connections, a pool, the batcher and the flights, and the leaves that wait for nothing.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from seawall import (
    Batcher,
    Cache,
    Condition,
    DeadlineExceeded,
    Mutex,
    ReadWriteLock,
    ResourcePool,
    SeawallError,
    Semaphore,
    SingleFlight,
    ThreadPool,
    deadline,
)

PATIENCE_S = 120.0
"""Long beyond what any one round takes, also on a busy machine."""

TIMEOUTS_S = (None, None, None, 0.0, 0.0005, 0.01)


@dataclass
class Tally:
    """What was done, from many threads."""

    until_s: float
    rounds: int = 0
    late: int = 0
    cancelled: int = 0
    errors: list[BaseException] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def is_over(self) -> bool:
        return bool(self.errors) or time.monotonic() >= self.until_s

    def note(self, outcome: BaseException | None) -> None:
        with self.guard:
            self.rounds += 1
            if isinstance(outcome, DeadlineExceeded):
                self.late += 1
            elif isinstance(outcome, asyncio.CancelledError):
                self.cancelled += 1
            elif outcome is not None:
                self.errors.append(outcome)


class Works:
    """What all of them share."""

    def __init__(self) -> None:
        config = ReadWriteLock("d config")
        self.ladder: list[object] = [
            Mutex("a"),
            Semaphore("b slots", 2),
            Mutex("c", order_key=1),
            Mutex("c", order_key=2),
            config,
            Semaphore("e slots", 3),
            Mutex("f"),
        ]
        self.tickets = Semaphore("g tickets", 2)  # by acquire and release: nobody's
        self.connections = ResourcePool("h connections", object, max_size=2)
        self.outer = ThreadPool("outer", max_threads=2)  # its work waits for work of its own and of `inner`
        self.inner = ThreadPool("inner", max_threads=2)
        self.leaf = Mutex("y leaf")
        self.last = Mutex("z last")  # by `with` only, also on the loops' threads
        self.batcher: Batcher[int] = Batcher("batcher", self.flush, max_items=5, capacity=20)
        self.flights = SingleFlight("flights")
        self.cache = Cache("cache", max_items=3, fresh_s=0.0005, stale_s=0.0005)
        self.box = Mutex("x box")
        self.filled, self.emptied = Condition(self.box), Condition(self.box)
        self.items: list[int] = []

    def close(self) -> None:
        self.batcher.close(PATIENCE_S)
        self.outer.shutdown()
        self.inner.shutdown()
        self.connections.close()

    def waits_total(self) -> int:
        """How many waits there were, each of which was looked at."""
        locks = [lock for lock in self.ladder if not isinstance(lock, ReadWriteLock)]
        every = [*locks, self.ladder[4], self.tickets, self.connections, self.leaf, self.last, self.box]
        return sum(one.statistics().waits_total for one in every)

    def flush(self, _: list[int]) -> None:
        with self.leaf:
            pass

    def short(self) -> None:
        with self.leaf, self.last:
            pass

    def nested(self) -> None:
        self.outer.submit(self.short).result()
        self.inner.submit(self.short).result()

    async def draw(self) -> int:
        async with self.leaf:
            await asyncio.sleep(0)
        return 1

    def chosen(self, chance: random.Random) -> list[object]:
        """Some of the ladder, in order; of a read-write lock either side."""
        return [
            (lock.read if chance.random() < 0.7 else lock.write) if isinstance(lock, ReadWriteLock) else lock
            for lock in self.ladder
            if chance.random() < 0.35
        ]

    # As a thread.

    def climb(self, left: list[object], chance: random.Random) -> None:
        if not left:
            self.reach(chance)
        else:
            with entered(left[0], chance):
                self.climb(left[1:], chance)

    def reach(self, chance: random.Random) -> None:
        match chance.randrange(8):
            case 0:
                self.tickets.acquire(timeout_s=chance.choice(TIMEOUTS_S))
                self.tickets.release()
            case 1:
                with self.connections.borrow(timeout_s=chance.choice(TIMEOUTS_S)), self.leaf:
                    pass
            case 2:
                self.inner.submit(self.short).result(chance.choice(TIMEOUTS_S))
            case 3:
                self.batcher.put_sync(1, timeout_s=chance.choice(TIMEOUTS_S))
            case 4:
                with self.connections.borrow():
                    self.inner.submit(self.short).result()
            case _:
                self.short()

    # As a task.

    async def climb_async(self, left: list[object], chance: random.Random) -> None:
        if not left:
            await self.reach_async(chance)
        else:
            async with entered_async(left[0], chance):
                await asyncio.sleep(0)
                await self.climb_async(left[1:], chance)

    async def reach_async(self, chance: random.Random) -> None:
        match chance.randrange(10):
            case 0:
                await self.tickets.acquire_async(timeout_s=chance.choice(TIMEOUTS_S))
                self.tickets.release()
            case 1:
                async with self.connections.borrow(timeout_s=chance.choice(TIMEOUTS_S)), self.leaf:
                    await asyncio.sleep(0)
            case 2:
                await self.inner.run(self.short)
            case 3:
                await self.batcher.put(1)
            case 4:
                await self.flights.run(chance.randrange(3), self.draw)
            case 5:
                await self.cache.get(chance.randrange(5), self.draw)
            case 6:
                with self.last:  # stands still for threads only: no task awaits inside it
                    pass
            case _:
                async with self.leaf:
                    with self.last:
                        pass

    # Conditions, beside all that: a box for three, filled and emptied.

    def fill(self, chance: random.Random) -> None:
        with self.box:
            while len(self.items) >= 3:
                self.emptied.wait(timeout_s=chance.choice(TIMEOUTS_S))
            self.items.append(1)
            self.filled.notify()

    async def empty(self) -> None:
        async with self.box:
            while not self.items:
                await self.filled.wait_async()
            self.items.pop()
            self.emptied.notify()


@contextmanager
def entered(lock: object, chance: random.Random) -> Iterator[None]:
    """Inside by `with`, or by the verbs with a time-out."""
    if chance.random() < 0.7:
        with lock:
            yield
        return
    lock.acquire(timeout_s=chance.choice(TIMEOUTS_S))
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def entered_async(lock: object, chance: random.Random) -> AsyncIterator[None]:
    """As `entered`."""
    if chance.random() < 0.7:
        async with lock:
            yield
        return
    await lock.acquire_async(timeout_s=chance.choice(TIMEOUTS_S))
    try:
        yield
    finally:
        lock.release()


def in_thread(works: Works, tally: Tally, seed: int) -> None:
    chance = random.Random(seed)

    def once() -> None:
        with deadline(chance.choice((None, None, None, 0.0005, 0.01))):
            match chance.randrange(6):
                case 0:
                    works.fill(chance)
                case 1:
                    works.outer.submit(works.nested).result()
                case _:
                    works.climb(works.chosen(chance), chance)

    while not tally.is_over():
        try:
            once()
        except BaseException as error:
            tally.note(error)
        else:
            tally.note(None)


async def on_loop(works: Works, tally: Tally, seed: int) -> None:
    chance = random.Random(seed)

    async def once() -> None:
        with deadline(chance.choice((None, None, None, 0.0005, 0.01))):
            match chance.randrange(6):
                case 0:
                    await works.empty()
                case 1:
                    await works.outer.run(works.nested)
                case _:
                    await works.climb_async(works.chosen(chance), chance)

    async def one() -> None:
        task = asyncio.create_task(once())
        for _ in range(chance.randrange(8)):
            await asyncio.sleep(0)
        # One that waits for the box to be filled may wait until the end, when nobody fills it any more.
        if chance.random() < 0.2:
            task.cancel()
        while not (await asyncio.wait([task], timeout=0.5))[0]:
            if tally.is_over():
                task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        tally.note(outcome if isinstance(outcome, BaseException) else None)

    while not tally.is_over():
        await asyncio.gather(*[one() for _ in range(6)])


def work_legally(for_s: float, threads: int = 4, loops: int = 2) -> tuple[Tally, Works]:
    """Work for so long; what was done, and what it was done with. The tally has whatever went wrong."""
    works, tally = Works(), Tally(time.monotonic() + for_s)

    def drain() -> None:  # so that nobody who fills the box waits for ever, when all tasks that empty it have ended
        while not tally.is_over() or any(thread.is_alive() for thread in fillers):
            with works.box:
                works.items.clear()
                works.emptied.notify_all()
            time.sleep(0.05)

    runs: list[Callable[[], None]] = [lambda seed=seed: in_thread(works, tally, seed) for seed in range(threads)]
    fillers = [threading.Thread(target=run, daemon=True) for run in runs]
    others = [
        threading.Thread(target=lambda s=seed: asyncio.run(on_loop(works, tally, s)), daemon=True)
        for seed in range(100, 100 + loops)
    ]
    others.append(threading.Thread(target=drain, daemon=True))
    for thread in (*fillers, *others):
        thread.start()
    for thread in (*fillers, *others):
        thread.join(for_s + PATIENCE_S)
    alive = [thread.name for thread in (*fillers, *others) if thread.is_alive()]
    if alive:
        tally.errors.append(SeawallError(f"they hang: {alive}"))
    else:
        works.close()
    return tally, works
