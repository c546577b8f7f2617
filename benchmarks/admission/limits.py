"""The adaptive limit beside the best of the fixed ones, on five loads in one process: real threads, a real loop.

Each load is offered half as much again as it can do, as open arrivals at a gate whose queue is short. The fixed limits
come first, each for a few seconds; then the best of them, the adaptive one from its start, and the best again: the mean of
both is the peer.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import pbkdf2_hmac

from benchmarks.report import report
from seawall import Adaptive, DeadlineExceeded, Fixed, Gate, Overloaded, Workload

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
GOOD_WITHIN_S = 0.5
DEADLINE_S = 0.25
TOO_MUCH = 1.5
SOAKED = 1.2
CLOSED_CLIENTS = 16
PHASE_S = 2.5
WITHIN_S = 10.0
"""The adaptive limit has so long to find its number."""

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of work, and how much of it comes a second; measured where it is None."""

    name: str
    work: Work
    rate_per_s: float | None = None


class Trial:
    """Open arrivals at a gate with one limit, and when each good answer was given."""

    def __init__(self, load: Load, limit: Fixed | Adaptive, rate_per_s: float) -> None:
        self.limit = limit
        self._load = load
        self._rate_per_s = rate_per_s
        self._gate = Gate("limits", limit, [Workload("work", queue_limit=64, deadline_s=DEADLINE_S)])
        self._good_s: list[float] = []
        self._began_s = 0.0

    async def run(self, seconds: float, each_s: float = 0.0, seen: Callable[[int], None] = lambda seats: None) -> None:
        """Let them come for `seconds`, and tell the number of seats every `each_s`."""
        self._began_s = time.monotonic()
        underway: set[asyncio.Task[None]] = set()
        count = int(seconds * self._rate_per_s)
        told_s = each_s
        for n in range(count):
            intended_s = self._began_s + n / self._rate_per_s
            early_s = intended_s - time.monotonic()
            if early_s > 0.0005:
                await asyncio.sleep(early_s)
            task = asyncio.create_task(self._one(intended_s))
            underway.add(task)
            task.add_done_callback(underway.discard)
            if each_s and n / self._rate_per_s >= told_s:
                seen(self.limit.seats)
                told_s += each_s
        await asyncio.gather(*underway)
        await self._gate.drain_async(timeout_s=30.0)

    def goodput_per_s(self, from_s: float, until_s: float) -> float:
        """Good answers a second within a stretch."""
        return sum(from_s <= good_s - self._began_s < until_s for good_s in self._good_s) / (until_s - from_s)

    async def _one(self, intended_s: float) -> None:
        try:
            async with self._gate.admit("work"):
                await self._load.work()
        except (Overloaded, DeadlineExceeded):
            return
        now_s = time.monotonic()
        if now_s - intended_s <= GOOD_WITHIN_S:
            self._good_s.append(now_s)


def compare(is_quick: bool, only: Sequence[str] = ()) -> None:
    """Measure all loads and print a line for each."""
    asyncio.run(_compare(is_quick, only))


def soak(minutes: float) -> None:
    """Whether the limit drifts under 1.2 times what four permits behind it can do."""
    asyncio.run(_soak(minutes))


async def _compare(is_quick: bool, only: Sequence[str]) -> None:
    sizes, seconds = (SIZES[::2], 2.0) if is_quick else (SIZES, 3.0)
    with ThreadPoolExecutor(max(SIZES)) as pool:
        for load in loads(pool):
            if only and load.name not in only:
                continue
            rate_per_s = load.rate_per_s or TOO_MUCH * await _closed_per_s(load)
            found = {}
            for size in sizes:
                found[size] = await _fixed(load, size, rate_per_s, seconds)
            best = max(found, key=lambda size: found[size])
            before = await _fixed(load, best, rate_per_s, 2 * PHASE_S + 1)
            adaptive = Trial(load, Adaptive(), rate_per_s)
            seats: list[int] = []
            await adaptive.run(WITHIN_S + 2 * PHASE_S, 0.25, seats.append)
            after = await _fixed(load, best, rate_per_s, 2 * PHASE_S + 1)
            own, peer = adaptive.goodput_per_s(WITHIN_S, WITHIN_S + 2 * PHASE_S), (before + after) / 2
            settled = int(statistics.median(seats[int(WITHIN_S / 0.25) :] or seats))
            tried = ", ".join(f"{size}: {per_s:.0f}" for size, per_s in found.items())
            report(
                f"adaptive limit, {load.name}", "good answers/s", own, peer=f"Fixed({best})", peer_value=peer,
                goal=">= 0.95 after 10 s",
                note=f"offered {rate_per_s:.0f}/s; settled at {settled} seats; first 10 s "
                f"{adaptive.goodput_per_s(0, WITHIN_S):.0f}/s; the peer {before:.0f} and {after:.0f}; fixed {tried}",
            )  # fmt: skip


async def _soak(minutes: float) -> None:
    with ThreadPoolExecutor(max(SIZES)) as pool:
        load = next(load for load in loads(pool) if "permits" in load.name)
        rate_per_s = SOAKED * await _closed_per_s(load)
        trial = Trial(load, Adaptive(), rate_per_s)
        seats: list[int] = []
        await trial.run(minutes * 60, 1.0, seats.append)
        third = len(seats) // 3
        first, last = seats[third : 2 * third], seats[2 * third :]
        report(
            f"adaptive limit, {minutes:g} min at {SOAKED:g} x, {load.name}", "seats, median of the last third",
            statistics.median(last), peer="of the third before", peer_value=statistics.median(first), goal="no drift",
            note=f"at most {max(last)}, at least {min(last)}; good "
            f"{trial.goodput_per_s(minutes * 40, minutes * 60):.0f}/s of {rate_per_s:.0f}/s in the last third",
        )  # fmt: skip


async def _fixed(load: Load, size: int, rate_per_s: float, seconds: float) -> float:
    trial = Trial(load, Fixed(size), rate_per_s)
    await trial.run(seconds)
    return trial.goodput_per_s(1.0, seconds)


async def _closed_per_s(load: Load) -> float:
    """What it does for some that each wait for their answer."""
    seconds, count = 2 * PHASE_S, 0
    until_s = time.monotonic() + seconds

    async def client() -> None:
        nonlocal count
        while time.monotonic() < until_s:
            await load.work()
            count += 1

    await asyncio.gather(*(client() for _ in range(CLOSED_CLIENTS)))
    return count / seconds


def loads(pool: ThreadPoolExecutor) -> list[Load]:
    """The five."""
    permits = asyncio.Semaphore(4)
    turns = _turns_for(0.004)
    passes = _passes_for(0.004)

    async def on_thread(work: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(pool, work)

    async def computes() -> None:
        await on_thread(partial(_spin, turns))

    async def waits() -> None:
        await asyncio.sleep(0.04)

    async def mixed() -> None:
        await asyncio.sleep(0.02)
        await on_thread(partial(_spin, turns // 2))

    async def behind_permits() -> None:
        async with permits:
            await asyncio.sleep(0.02)

    async def varies() -> None:
        factor = 4 if int(time.monotonic() / PHASE_S) % 2 else 1
        await on_thread(partial(pbkdf2_hmac, "sha256", b"crowd", b"salt", factor * passes))

    return [
        Load("computes 4 ms with the GIL", computes),
        Load("waits 40 ms", waits, 300.0),
        Load("waits 20 ms, computes 2 ms", mixed),
        Load("waits 20 ms behind 4 permits", behind_permits),
        Load("hashes 4 ms, then 16 ms, in turn", varies),
    ]


def _spin(turns: int) -> int:
    total = 0
    for n in range(turns):
        total += n & 7
    return total


def _turns_for(seconds: float) -> int:
    return int(20_000 * seconds / _cpu_s(partial(_spin, 20_000)))


def _passes_for(seconds: float) -> int:
    return int(2_000 * seconds / _cpu_s(partial(pbkdf2_hmac, "sha256", b"crowd", b"salt", 2_000)))


def _cpu_s(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(9):
        began_s = time.thread_time()
        work()
        spent.append(time.thread_time() - began_s)
    return statistics.median(spent)
