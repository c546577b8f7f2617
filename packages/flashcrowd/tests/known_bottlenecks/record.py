"""One run of one service: what the crowd and the probe saw, level by level."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from flashcrowd.probe.probe import Probe
from flashcrowd.probe.server_timing import parse_server_timing
from flashcrowd.samples import Reading, Sample
from known_bottlenecks.crowd import Crowd
from known_bottlenecks.planted import draw
from known_bottlenecks.serve import planted, served

LEVEL_S = 1.25
PROBE_EVERY_S = 0.1
"""A level is short here; twice a second would be two looks in it."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was seen; `ends_s` has for each level when the last request of it was to come."""

    name: str
    seed: int
    levels: list[list[Sample]] = field(default_factory=list)
    ends_s: list[float] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def record(
    name: str,
    seed: int,
    *,
    widened: int = 1,
    factors: tuple[float, ...] = (),
    level_s: float = LEVEL_S,
    postgres: str = "",
) -> Record:
    """Serve it, send the crowd, read what it tells. `factors` in place of the loads drawn."""
    with served(name, seed, widened=widened, postgres=postgres) as url:
        return asyncio.run(_record(url, name, seed, factors, level_s))


async def _record(url: str, name: str, seed: int, factors: tuple[float, ...], level_s: float) -> Record:
    sizes, crowd = draw(name, seed), Crowd(url, seed)
    most_per_s = sizes.healthy_per_s / sizes.factors[-1] if planted(name).is_healthy else sizes.capacity_per_s
    found = Record(name, seed)
    await crowd.come(10, 0.4)  # whatever is made at the first request is made now
    probe = Probe(url, now=time.perf_counter, tell=found.told.append, every_s=PROBE_EVERY_S)
    await probe.find()
    looks = asyncio.create_task(probe.run())
    try:
        for factor in factors or sizes.factors:
            began_s = time.perf_counter()
            samples = await crowd.come(factor * most_per_s, level_s)
            found.levels.append([_timed(sample, crowd.timings.get(sample)) for sample in samples])
            found.ends_s.append(began_s + level_s)
    finally:
        looks.cancel()
        await asyncio.gather(looks, return_exceptions=True)
        probe.close()
        await crowd.close()
    found.readings.extend(probe.readings)
    return found


def _timed(sample: Sample, header: str | None) -> Sample:
    return sample._replace(waits_s=parse_server_timing(header)) if header else sample
