"""A program in trouble, for the picture of the console: `python tools/knot.py PORT`. Its threads and tasks really wait."""

from __future__ import annotations

import asyncio
import sys
import threading

import uvicorn

from seawall import Cache, Deadlock, LoopLag, Mutex, ReadWriteLock, ResourcePool, ThreadPool, Watchdog, configure
from seawall.console import Console, from_this_machine

FOREVER_S = 3_600.0

accounts, ledger = Mutex("accounts"), Mutex("ledger")
prices = ReadWriteLock("prices")
connections = ResourcePool("db", object, max_size=2)
reports = ThreadPool("reports", min_threads=1, max_threads=2)
pages = Cache("pages", max_items=500, fresh_s=5, stale_s=60)


def slow_statement(over: threading.Event) -> None:
    """What everybody waits for in the end: a statement that does not come back, with a mutex held."""
    with connections.borrow(), accounts:
        over.wait(FOREVER_S)


def nightly_report() -> None:
    """Holds the other connection and wants the mutex."""
    with connections.borrow(), prices.write, accounts:
        pass


async def show_prices() -> None:
    """A request that only wants to read."""
    async with prices.read:
        pass


async def pay() -> None:
    """A request that needs a connection."""
    async with connections.borrow():
        pass


def transfer(first: Mutex, then: Mutex, both: threading.Barrier) -> None:
    """One of two that take the same locks in two orders."""
    try:
        with first:
            both.wait(10)
            with then:
                pass
    except Deadlock:
        pass


async def draw() -> str:
    """A page."""
    return "page"


async def main(port: int) -> None:
    """Gets everything stuck, and serves the console."""
    configure(level="watched")
    lag = LoopLag("main")
    lag.start()
    both, over, source = threading.Barrier(2), threading.Event(), Mutex("stock")
    swaps = [threading.Thread(target=transfer, args=(*pair, both)) for pair in ((source, ledger), (ledger, source))]
    for number, swap in enumerate(swaps, start=1):
        swap.name = f"transfer-{number}"
        swap.start()
    for swap in swaps:
        await asyncio.to_thread(swap.join)
    for key in (1, 2, 1, 1, 2, 1):
        await pages.get(key, draw)
    threading.Thread(target=slow_statement, args=(over,), name="checkout-1", daemon=True).start()
    await asyncio.sleep(0.3)
    reports.submit(nightly_report)
    await asyncio.sleep(0.3)
    waiting = [asyncio.create_task(show_prices(), name=f"GET /prices #{number}") for number in range(1, 4)]
    await asyncio.sleep(0.2)
    waiting += [asyncio.create_task(pay(), name=f"POST /pay #{number}") for number in range(1, 6)]
    watchdog = Watchdog(hold_s=1.0)
    watchdog.start()
    app = Console(allow=from_this_machine, can_set_level=True)
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none")).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
