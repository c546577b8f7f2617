"""A stretch of a run under one load, and what samples and readings say of it, joined by time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from flashcrowd.samples import Process, Reading, Resource, ResourceKind, Sample
from flashcrowd.words import is_whole

TAIL = 0.9
"""The tail is the slowest tenth: of the slowest twentieth there are too few at a level of some seconds."""


@dataclass(frozen=True, slots=True)
class Use:
    """How one resource was used, on average over the level. What was not told is None."""

    name: str
    kind: ResourceKind
    capacity: float | None = None
    in_use: float | None = None
    waiting: float | None = None
    wait_s: float | None = None
    """For it, a request."""
    tail_wait_s: float | None = None
    """For it, a request of the tail."""
    hold_s: float | None = None
    """How long it was held, a request."""
    seen: float | None = None
    """How often it was seen in use, over all looks: what `hold_s` rests on. None where the target counts holds itself."""
    refused_per_s: float = 0.0
    """Whom it turned away."""
    is_measured: bool = False
    """True where waits were measured, request by request or in all; False where they are reckoned from how many wait."""

    @property
    def utilisation(self) -> float | None:
        """The part that was in use, 0 to 1; None where it is not known."""
        if not self.capacity or self.in_use is None:
            return None
        return self.in_use / self.capacity


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
    looked = _Looked(inside, around, flow_per_s, one_in * len(answered))
    uses, timings = _uses(looked, _timings(answered), _timings(tail))
    cpu, ready = _cpu([reading.process for reading in inside], [reading.at_s for reading in inside])
    lags = [reading.process.loop_lag_s for reading in inside if reading.process.loop_lag_s is not None]
    answers = [reading.answered_in_s for reading in inside if reading.answered_in_s is not None]
    return Level(
        offered_per_s=one_in * len(samples) / offered_s,
        done_per_s=one_in * len(answered) / max(ended_s - began_s, offered_s),
        flow_per_s=flow_per_s,
        mean_s=fmean(latencies),
        p50_s=latencies[len(latencies) // 2],
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

SEAWALL = {"lock", "semaphore", "pool", "flight"}
"""What comes before the name in Seawall's Server-Timing."""


def _timings(samples: Sequence[Sample]) -> dict[str, float]:
    """Mean seconds by name. A sample that lacks a name waited 0 s for it: Seawall's header has what was waited for."""
    total: dict[str, float] = defaultdict(float)
    for sample in samples:
        for name, wait_s in (sample.waits_s or {}).items():
            if not is_whole(name):
                total[name] += wait_s
    return {name: wait_s / len(samples) for name, wait_s in total.items()}


@dataclass(frozen=True, slots=True)
class _Looked:
    """The looks of a level, and what goes with them."""

    inside: Sequence[Reading]
    """While requests came, for what stands at a moment."""
    around: Sequence[Reading]
    """From before the first arrival to after the last answer, for what is counted."""
    flow_per_s: float
    answered: int


def _around(readings: Sequence[Reading], began_s: float, ended_s: float) -> list[Reading]:
    told = [reading for reading in readings if reading.resources]
    first = max((index for index, reading in enumerate(told) if reading.at_s <= began_s), default=0)
    last = min((index for index, reading in enumerate(told) if reading.at_s >= ended_s), default=len(told) - 1)
    return told[first : last + 1]


def _by_key(readings: Sequence[Reading]) -> dict[str, list[Resource]]:
    seen: dict[str, list[Resource]] = defaultdict(list)
    for reading in readings:
        for resource in reading.resources:
            seen[f"{resource.kind} {resource.name}"].append(resource)
    return seen


def _uses(
    looked: _Looked, timings: dict[str, float], tail: dict[str, float]
) -> tuple[dict[str, Use], dict[str, tuple[float, float]]]:
    counted, uses, joined = _by_key(looked.around), {}, set()
    for key, looks in _by_key(looked.inside).items():
        timing = _timing_of(looks[0], timings)
        if timing is not None:
            joined.add(timing)
        measured = None if timing is None else (timings[timing], tail.get(timing, 0.0))
        uses[key] = _use(looks, counted.get(key, looks), looked, measured)
    return uses, {name: (timings[name], tail.get(name, 0.0)) for name in timings if name not in joined}


def _timing_of(resource: Resource, timings: Mapping[str, float]) -> str | None:
    """The name in Server-Timing that means this resource: its own, or Seawall's with the kind before it."""
    for name in timings:
        prefix, _, rest = name.partition(".")
        if name == resource.name or (prefix in SEAWALL and rest == _token(resource.name)):
            return name
    return None


def _token(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "!#$%&'*+.^_`|~-" else "_" for letter in name)


def _use(
    looks: Sequence[Resource], counted: Sequence[Resource], looked: _Looked, measured: tuple[float, float] | None
) -> Use:
    first, last, flow_per_s = counted[0], counted[-1], looked.flow_per_s
    in_use, waiting = _mean([look.in_use for look in looks]), _mean([look.waiting for look in looks])
    in_all_s, uses = _grown(first.wait_s_total, last.wait_s_total), _grown(first.uses_total, last.uses_total)
    held_s, refused = _grown(first.hold_s_total, last.hold_s_total), _grown(first.refused_total, last.refused_total)
    span_s = looked.around[-1].at_s - looked.around[0].at_s if looked.around else 0.0
    wait_s = tail_s = hold_s = seen = None
    if measured is not None:
        wait_s, tail_s = measured
    elif in_all_s:
        wait_s = in_all_s / looked.answered
    elif waiting is not None and flow_per_s > 0:
        wait_s = waiting / flow_per_s
    if held_s is not None and uses:
        hold_s = held_s / looked.answered
    elif in_use is not None and flow_per_s > 0:
        hold_s, seen = in_use / flow_per_s, in_use * len(looks)
    return Use(
        last.name,
        last.kind,
        last.capacity,
        in_use,
        waiting,
        wait_s,
        tail_s,
        hold_s,
        is_measured=measured is not None or bool(in_all_s),
        seen=seen,
        refused_per_s=(refused or 0.0) / span_s if span_s > 0 else 0.0,
    )


def _cpu(processes: Sequence[Process], at_s: Sequence[float]) -> tuple[float | None, float | None]:
    told = [(at, process) for at, process in zip(at_s, processes, strict=True) if process.cpu_s_total is not None]
    if len(told) < 2 or told[-1][0] <= told[0][0]:
        return None, None
    (began_s, first), (ended_s, last) = told[0], told[-1]
    cpu_s, ready_s = _grown(first.cpu_s_total, last.cpu_s_total), _grown(first.ready_s_total, last.ready_s_total)
    span_s = ended_s - began_s
    return None if cpu_s is None else cpu_s / span_s, None if ready_s is None else ready_s / span_s


def _grown(before: float | None, after: float | None) -> float | None:
    """By how much; None where it is not told, or fell, as after a restart."""
    if before is None or after is None or after < before:
        return None
    return after - before


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
