"""Slow, and as slow without a load: the database takes its time, and has it."""

import asyncio
import time

from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, Timings, ordinary

PLANTED = Planted(kind="", exposes="server timing")


def build(sizes: Sizes) -> Application:
    async def work() -> Timings:
        began_s = time.perf_counter()
        await asyncio.sleep(0.080 + sizes.hold_s)
        return {"db": time.perf_counter() - began_s}

    return ordinary(work)
