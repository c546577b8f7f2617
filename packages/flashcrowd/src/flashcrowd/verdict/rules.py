"""The rules by which a bottleneck is named. Every one returns a verdict, or None where it has none.

Common to them: the excess is by how much the mean latency at a pressed level exceeds that when calm. A resource explains as
much of it as the wait for it grew.
"""

from __future__ import annotations

from collections.abc import Callable

from flashcrowd.samples import Verdict
from flashcrowd.verdict.called import called
from flashcrowd.verdict.full import full, full_for_certain
from flashcrowd.verdict.level import Level
from flashcrowd.verdict.load import Load
from flashcrowd.verdict.process import answering_thread, core, event_loop, event_loop_at_last

Rule = Callable[[Load, Level], Verdict | None]

RULES: tuple[Rule, ...] = (
    core,
    full_for_certain,
    event_loop,
    full,
    answering_thread,
    event_loop_at_last,
    called,
)
"""In the order in which they are asked. What keeps the process itself comes first, since it fills everything else."""
