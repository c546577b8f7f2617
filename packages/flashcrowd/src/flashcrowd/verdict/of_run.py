"""What limits a target, from one run in place of a search: its stretches are the levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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

RAMP = 1.5
"""Arrivals that differ by this much between stretches are a rising load; else it was one load all the time."""


def name_in_run(samples: Sequence[Sample], readings: Sequence[Reading], *, one_in: int = 1) -> Verdict | None:
    """What limited the target in one run, by all its samples or every `one_in`-th; None where it is not known.

    Where arrivals rose, the stretches are levels by their load. Under one load they are levels by how slow they were: a
    target that does not keep up starts fast. Where it was as slow from the first stretch to the last, as closed arrivals make
    it, only what is full by its own figures is named, since there is nothing to compare with.
    """
    levels = [*stretches(samples, readings, one_in=one_in)]
    if not levels:
        return None
    loads = [level.offered_per_s for level in levels]
    if max(loads) > RAMP * min(loads):
        return name_bottleneck(levels)
    by_slowness = sorted(levels, key=lambda level: level.p50_s)
    verdict = name_bottleneck(by_slowness, in_order=True)
    whole = level_of(samples, readings, one_in=one_in)
    if verdict is not None or whole is None:
        return verdict
    steady = Load((), (whole,))
    return core(steady, whole) or full(steady, whole)


def stretches(samples: Sequence[Sample], readings: Sequence[Reading], *, one_in: int = 1) -> Iterator[Level]:
    """The run cut into up to eight equal stretches by arrival; those with too few answers are left out."""
    if not samples:
        return
    began_s, ended_s = min(s.intended_s for s in samples), max(s.intended_s for s in samples)
    count = max(1, min(STRETCHES, int((ended_s - began_s) / SHORTEST_S)))
    length_s = (ended_s - began_s) / count
    parts: list[list[Sample]] = [[] for _ in range(count)]
    for sample in samples:
        parts[min(count - 1, int((sample.intended_s - began_s) / length_s) if length_s else 0)].append(sample)
    for index, part in enumerate(parts):
        level = level_of(part, readings, until_s=began_s + (index + 1) * length_s, one_in=one_in)
        if level is not None:
            yield level


def points_of(levels: Sequence[Level]) -> list[Point]:
    """For the Universal Scalability Law: how many were under way at each level, by Little's law, and how many got done."""
    return [Point(level.done_per_s * level.mean_s, level.done_per_s) for level in levels]
