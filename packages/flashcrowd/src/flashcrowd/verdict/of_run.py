"""What limits a target, from one run in place of a search: its stretches are the levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from flashcrowd.samples import Reading, Sample, Verdict
from flashcrowd.verdict.full import full
from flashcrowd.verdict.level import Level, level_of
from flashcrowd.verdict.load import Load
from flashcrowd.verdict.name import name_bottleneck
from flashcrowd.verdict.process import core
from flashcrowd.verdict.usl import Point

STRETCHES = 8
"""Into which a run is cut: enough to see a queue grow, and long enough for two looks each in a run of ten seconds."""

SHORTEST_S = 1.0

ALIKE = 0.1
"""Two stretches are asked for the same where this part of the requests, at the most, is of another name."""

SLOWER = 1.25
"""A request got slower where its median did by this much from one stretch to another."""

FEWEST = 10
"""Answers of one name in a stretch, for their median to count."""

RAMP = 1.5
"""Arrivals that differ by this much between stretches are a rising load; else it was one load all the time."""


def name_in_run(samples: Sequence[Sample], readings: Sequence[Reading], *, one_in: int = 1) -> Verdict | None:
    """What limited the target in one run, by all its samples or every `one_in`-th; None where it is not known.

    Where arrivals rose, the stretches are levels by their load. Under one load they are levels by how slow they were: a
    target that does not keep up starts fast. Left out are those in which other things were asked for than later on, as at the
    start, where no user has come to the second step: what only a slower request does would look like what made it slow.
    Where no request of any name went wrong or got slower, as under closed arrivals that were there from the beginning, only
    what is full by its own figures is named, since there is nothing to compare with.
    """
    levels = [*stretches(samples, readings, one_in=one_in, are_alike=True)]
    if not levels:
        return None
    whole = level_of(samples, readings, one_in=one_in)
    verdict = None
    if _has_suffered(samples):
        loads = [level.offered_per_s for level in levels]
        if max(loads) > RAMP * min(loads):
            return name_bottleneck(levels)
        verdict = name_bottleneck(sorted(levels, key=lambda level: level.p50_s), in_order=True)
    if verdict is not None or whole is None:
        return verdict
    steady = Load((), (whole,))
    return core(steady, whole) or full(steady, whole)


def stretches(
    samples: Sequence[Sample], readings: Sequence[Reading], *, one_in: int = 1, are_alike: bool = False
) -> Iterator[Level]:
    """The run cut into up to eight equal stretches by arrival; those with too few answers are left out.

    With `are_alike` so are those with another mix of requests than the second half of the run had.
    """
    if not samples:
        return
    began_s, length_s, parts = _cut(samples)
    count = len(parts)
    usual = _mix([sample for part in parts[count // 2 :] for sample in part])
    for index, part in enumerate(parts):
        if are_alike and _distance(_mix(part), usual) > ALIKE:
            continue
        level = level_of(part, readings, until_s=began_s + (index + 1) * length_s, one_in=one_in)
        if level is not None:
            yield level


def _cut(samples: Sequence[Sample]) -> tuple[float, float, list[list[Sample]]]:
    """When the first stretch begins, how long each is, and the requests that were meant to be sent in each."""
    began_s, ended_s = min(s.intended_s for s in samples), max(s.intended_s for s in samples)
    count = max(1, min(STRETCHES, int((ended_s - began_s) / SHORTEST_S)))
    length_s = (ended_s - began_s) / count
    parts: list[list[Sample]] = [[] for _ in range(count)]
    for sample in samples:
        parts[min(count - 1, int((sample.intended_s - began_s) / length_s) if length_s else 0)].append(sample)
    return began_s, length_s, parts


def _has_suffered(samples: Sequence[Sample]) -> bool:
    """Whether some requests went wrong, or those of one name were slower in one stretch than in another."""
    if any(sample.outcome != "good" for sample in samples):
        return True
    medians: dict[str, list[float]] = {}
    for part in _cut(samples)[2]:
        by_name: dict[str, list[float]] = {}
        for sample in part:
            by_name.setdefault(sample.name, []).append(sample.latency_s)
        for name, latencies_s in by_name.items():
            if len(latencies_s) >= FEWEST:
                medians.setdefault(name, []).append(median(latencies_s))
    return any(max(found) >= SLOWER * min(found) for found in medians.values())


def _mix(samples: Sequence[Sample]) -> dict[str, float]:
    """Which part of the requests is of which name."""
    counts = Counter(sample.name for sample in samples)
    return {name: count / len(samples) for name, count in counts.items()}


def _distance(one: dict[str, float], other: dict[str, float]) -> float:
    """The part of the requests that would have to be of another name (the total variation distance)."""
    return sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in one.keys() | other.keys()) / 2


def points_of(levels: Sequence[Level]) -> list[Point]:
    """For the Universal Scalability Law: how many were under way at each level, by Little's law, and how many got done."""
    return [Point(level.done_per_s * level.mean_s, level.done_per_s) for level in levels]
