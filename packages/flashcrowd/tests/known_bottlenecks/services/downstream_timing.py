"""Another service answers only so many at once; this one says how long it waited for it."""

import asyncio
import time

from known_bottlenecks.downstream import Downstream
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, Timings, ordinary

PLANTED = Planted(kind="downstream", names=frozenset({"upstream"}), exposes="server timing")


def build(sizes: Sizes) -> Application:
    downstream = Downstream(sizes.places, sizes.hold_s)

    async def work() -> Timings:
        began_s = time.perf_counter()
        await asyncio.sleep(0.006)
        called_s = time.perf_counter()
        await downstream.call()
        done_s = time.perf_counter()
        return {"render": called_s - began_s, "upstream": done_s - called_s, "total": done_s - began_s}

    return ordinary(work)
