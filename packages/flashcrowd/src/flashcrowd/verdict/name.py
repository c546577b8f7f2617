"""Names what limits a target, or says that it is not known."""

from __future__ import annotations

from collections.abc import Sequence

from flashcrowd.samples import Verdict
from flashcrowd.verdict.level import Level
from flashcrowd.verdict.load import load_of
from flashcrowd.verdict.rules import RULES


def name_bottleneck(levels: Sequence[Level], *, in_order: bool = False) -> Verdict | None:
    """The resource that limits, from levels at different loads, in any order; or with `in_order` as they are given.

    None where no level was pressed, that is the target kept up and was not slower than at the lowest load; and where no
    resource explains it: not known, rather than a guess. The lowest pressed level is asked first, since higher up other
    things fill too. Pure; takes microseconds.
    """
    load = load_of(levels if in_order else sorted(levels, key=lambda level: level.offered_per_s))
    for level in load.pressed:
        for rule in RULES:
            verdict = rule(load, level)
            if verdict is not None:
                return verdict
    return None
