"""A stretch of a run under one load, and what samples and readings say of it, joined by time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median

from flashcrowd.samples import Reading, Sample
from flashcrowd.verdict.use import Looked, Use, grown, uses_of
from flashcrowd.words import is_whole

TAIL = 0.9
"""The tail is the slowest tenth: of the slowest twentieth there are too few at a level of some seconds."""


@dataclass(frozen=True, slots=True)
class Level:
    """What was seen at one load. `offered_s` is how long requests came; those seen later are still of this level."""

    offered_per_s: float
    done_per_s: float
    """Answers a second from the first arrival to the last answer."""
    flow_per_s: float
    """Answers a second while requests came: with Little's law, what goes with the readings."""
    mean_s: float
    p50_s: float
    steady_mean_s: float
    """The second lowest of the means of five parts by arrival: a stall of the machine spares two of them, a queue one."""
    p50_by_name_s: Mapping[str, float]
    """Of the requests of each name that were answered twenty times or more: in a mix, half may be fast whatever is full."""
    p95_s: float
    tail_s: float
    """Mean latency of the tail."""
    sooner_s: float
    """Median latency of those who came in the first half, and `later_s` in the second: a queue that grows shows there."""
    later_s: float
    failed: float
    """The part of the requests that got no right answer."""
    uses: Mapping[str, Use]
    timings: Mapping[str, tuple[float, float]]
    """Seconds a request, and a request of the tail, by name in Server-Timing, for what is none of `uses`."""
    cpu: float | None
    """Cores in use; None where not known."""
    ready: float | None
    """Threads that were ready to run and had no core, on average."""
    cores: float | None
    lag_s: float | None
    """How late the event loop was, or the target with the look itself; the mean."""
    threads: float | None
    requests: int
    loop_lag_is_told: bool = field(default=False)


def level_of(
    samples: Sequence[Sample], readings: Sequence[Reading], *, until_s: float | None = None, one_in: int = 1
) -> Level | None:
    """The level that `samples` were taken at, or every `one_in`-th of them. None where too few are.

    `until_s` is when the last was meant to be sent, on the clock of both. Readings from other times are left out. Refused
    requests count as load, not as answers. Takes some microseconds a sample.
    """
    answered = [sample for sample in samples if sample.outcome == "good"]
    if len(answered) < MIN_ANSWERS:
        return None
    began_s = min(sample.intended_s for sample in samples)
    stopped_s = max(sample.intended_s for sample in samples) if until_s is None else until_s
    ended_s = max(sample.ended_s for sample in answered)
    offered_s = max(stopped_s - began_s, 1e-3)
    latencies = sorted(sample.latency_s for sample in answered)
    slowest = latencies[int(TAIL * len(latencies)) :]
    tail = [sample for sample in answered if sample.latency_s >= slowest[0]]
    # Whatever stands at the very start of a level is of the one before. What was counted is complete after the last answer.
    around = _around(readings, began_s, ended_s)
    inside = [reading for reading in readings if began_s + 0.15 * offered_s <= reading.at_s <= stopped_s]
    flow_per_s = one_in * sum(began_s < sample.ended_s <= stopped_s for sample in answered) / offered_s
    by_arrival = [sample.latency_s for sample in sorted(answered, key=lambda sample: sample.intended_s)]
    half = len(by_arrival) // 2
    looked = Looked(inside, around, flow_per_s, one_in * len(answered))
    uses, timings = uses_of(looked, _timings(answered), _timings(tail))
    cpu, ready = _cpu(around)
    lags = [reading.process.loop_lag_s for reading in inside if reading.process.loop_lag_s is not None]
    answers = [reading.answered_in_s for reading in inside if reading.answered_in_s is not None]
    return Level(
        offered_per_s=one_in * len(samples) / offered_s,
        done_per_s=one_in * len(answered) / max(ended_s - began_s, offered_s),
        flow_per_s=flow_per_s,
        mean_s=fmean(latencies),
        p50_s=latencies[len(latencies) // 2],
        steady_mean_s=_steady_mean(by_arrival),
        p50_by_name_s=_medians(answered),
        p95_s=latencies[int(0.95 * len(latencies))],
        tail_s=fmean(slowest),
        sooner_s=median(by_arrival[:half]),
        later_s=median(by_arrival[half:]),
        failed=1 - len(answered) / len(samples),
        uses=uses,
        timings=timings,
        cpu=cpu,
        ready=ready,
        cores=next((reading.process.cores for reading in inside if reading.process.cores), None),
        lag_s=fmean(lags) if lags else fmean(answers) if answers else None,
        threads=next((reading.process.threads for reading in inside if reading.process.threads), None),
        requests=len(samples),
        loop_lag_is_told=bool(lags),
    )


MIN_ANSWERS = 8
"""With fewer, not even a median means anything."""

PARTS = 5

NAMED_ANSWERS = 20
"""Of so many the median is worth a comparison; there may be a dozen names, so chance has a dozen tries."""


def _steady_mean(by_arrival: Sequence[float]) -> float:
    bounds = [len(by_arrival) * part // PARTS for part in range(PARTS + 1)]
    return sorted(fmean(by_arrival[low:high]) for low, high in pairwise(bounds))[1]


def _medians(samples: Sequence[Sample]) -> dict[str, float]:
    by_name: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        by_name[sample.name].append(sample.latency_s)
    return {name: median(latencies) for name, latencies in by_name.items() if len(latencies) >= NAMED_ANSWERS}


def _timings(samples: Sequence[Sample]) -> dict[str, float]:
    """Mean seconds by name. A sample that lacks a name waited 0 s for it: Seawall's header has what was waited for."""
    total: dict[str, float] = defaultdict(float)
    for sample in samples:
        for name, wait_s in (sample.waits_s or {}).items():
            if not is_whole(name):
                total[name] += wait_s
    return {name: wait_s / len(samples) for name, wait_s in total.items()}


def _around(readings: Sequence[Reading], began_s: float, ended_s: float) -> list[Reading]:
    first = max((index for index, reading in enumerate(readings) if reading.at_s <= began_s), default=0)
    last = min((index for index, reading in enumerate(readings) if reading.at_s >= ended_s), default=len(readings) - 1)
    return list(readings[first : last + 1])


def _cpu(readings: Sequence[Reading]) -> tuple[float | None, float | None]:
    told = [reading for reading in readings if reading.process.cpu_s_total is not None]
    if len(told) < 2 or told[-1].at_s <= told[0].at_s:
        return None, None
    first, last, span_s = told[0].process, told[-1].process, told[-1].at_s - told[0].at_s
    cpu_s, ready_s = grown(first.cpu_s_total, last.cpu_s_total), grown(first.ready_s_total, last.ready_s_total)
    return None if cpu_s is None else cpu_s / span_s, None if ready_s is None else ready_s / span_s
