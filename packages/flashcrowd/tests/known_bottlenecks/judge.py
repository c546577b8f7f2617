"""Has the analyser name what limits a recorded run, and compares that with what is planted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flashcrowd.samples import Verdict
from flashcrowd.verdict.level import Level, level_of
from flashcrowd.verdict.name import name_bottleneck
from known_bottlenecks.record import Record
from known_bottlenecks.serve import planted

Judgement = Literal["right", "the other", "not known", "wrong"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One run."""

    name: str
    seed: int
    verdict: Verdict | None
    judgement: Judgement
    peak_per_s: float


def levels_of(record: Record) -> list[Level]:
    """The levels of a run, as the analyser takes them."""
    found = [
        level_of(samples, record.readings, until_s=until_s)
        for samples, until_s in zip(record.levels, record.ends_s, strict=True)
    ]
    return [level for level in found if level is not None]


def judge(record: Record) -> Judged:
    """What is named, and whether that is right."""
    levels = levels_of(record)
    verdict = name_bottleneck(levels)
    peak_per_s = max(level.done_per_s for level in levels)
    return Judged(record.name, record.seed, verdict, _judgement(record.name, verdict), peak_per_s)


def _judgement(name: str, verdict: Verdict | None) -> Judgement:
    what = planted(name)
    if verdict is None:
        return "right" if what.is_healthy else "not known"
    if verdict.kind == what.kind and (not what.names or verdict.resource in what.names):
        return "right"
    return "the other" if what.also and verdict.kind == what.also else "wrong"
