"""Work for a core."""

from __future__ import annotations

import time


def compute(for_s: float) -> int:
    """Keep the calling thread's core busy for `for_s` seconds of its own time, in Python, so holding the GIL."""
    until_s, total = time.thread_time() + for_s, 0
    while time.thread_time() < until_s:
        for number in range(500):
            total += number * number
    return total
