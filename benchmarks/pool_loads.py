"""Five mixed loads for a pool: clients that each ask again as soon as they have their answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import count

from seawall import Semaphore
from seawall.runtime.park import Parker

CLIENTS = 100


@dataclass(frozen=True, slots=True)
class Load:
    """A name, and what a call does; it is given the number of the call."""

    name: str
    call: Callable[[int], None]


def wait(seconds: float) -> None:
    """As a query, a file or a request does."""
    Parker().park(seconds)


def compute(steps: int) -> None:
    """Pure Python, some 50 ns a step."""
    total = 0
    for step in range(steps):
        total += step


_TWO = Semaphore("bench: two at a time", 2)


def _behind_two(_: int) -> None:
    with _TWO:
        wait(0.002)


def _waits(_: int) -> None:
    wait(0.02)


def _waits_and_computes(_: int) -> None:
    wait(0.01)
    compute(10_000)


def _one_in_ten_computes(number: int) -> None:
    if number % 10 == 0:
        compute(60_000)
    else:
        wait(0.01)


def _hashes(number: int) -> None:
    hashlib.pbkdf2_hmac("sha256", b"secret", str(number).encode(), 2_000)  # lets the GIL go


LOADS = (
    Load("waits 20 ms", _waits),
    Load("waits 10 ms, computes 0.5", _waits_and_computes),
    Load("one in ten computes 3 ms, the others wait 10", _one_in_ten_computes),
    Load("hashes without the GIL", _hashes),
    Load("waits 2 ms behind two permits", _behind_two),
)


def throughput(pool: Executor, load: Load, seconds: float) -> float:
    """Calls a second with 100 clients, for so long."""
    numbers = count()
    over_s = time.perf_counter() + seconds
    done = [0]

    def again(_: object = None) -> None:
        done[0] += 1
        if time.perf_counter() < over_s:
            pool.submit(load.call, next(numbers)).add_done_callback(again)
        else:
            ended.append(None)

    ended: list[None] = []
    began_s = time.perf_counter()
    for _ in range(CLIENTS):
        pool.submit(load.call, next(numbers)).add_done_callback(again)
    pause = Parker()
    while len(ended) < CLIENTS:
        pause.park(0.01)
    return done[0] / (time.perf_counter() - began_s)
