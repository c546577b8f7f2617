"""Which of the levels were calm and which pressed, and what grew between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flashcrowd.verdict.level import Level
from flashcrowd.verdict.use import Use

FAILS = 0.05
"""A level at which more than one request of twenty got no right answer is pressed, however fast the others were."""

SLOWER = 1.6
"""Half of the answers 1.6 times as slow as at the lowest load, and by more than `SLOWER_S`, is a queue."""

SLOWER_S = 0.010

MEAN_SLOWER = 2.5
"""Where a line is unfair, newcomers are fast and some wait for ever: the median hardly shows it, the mean does."""

INFLATED = 1.5
"""A hold half as long again as when calm is made longer by something inside."""

UNSEEN_S = 0.0005
"""What is held for less is not seen in so few looks."""


class Hold(NamedTuple):
    """How long something is held a request, and how often it was seen so, which is all that this rests on unless counted."""

    mean_s: float
    seen: float

    @property
    def longest_s(self) -> float:
        """The most that it may be, seeing how seldom it was seen: two standard errors more."""
        return self.mean_s * (1 + 2 / math.sqrt(max(self.seen, 1.0))) + UNSEEN_S


@dataclass(frozen=True, slots=True)
class Load:
    """The levels of a search or a run by rising load, parted. `calm` may be empty, where all were pressed."""

    calm: tuple[Level, ...]
    pressed: tuple[Level, ...]

    @property
    def alone_s(self) -> float:
        """Mean latency where nothing was pressed; 0 where that was never seen."""
        return min((level.mean_s for level in self.calm), default=0.0)

    @property
    def peak_per_s(self) -> float:
        """The most answers a second."""
        return max(level.done_per_s for level in (*self.calm, *self.pressed))

    def calm_use(self, key: str) -> list[Use]:
        """How a resource was used at the calm levels."""
        return [level.uses[key] for level in self.calm if key in level.uses]

    def calm_hold(self, key: str) -> Hold | None:
        """How long a resource was held a request where all was calm; None where that is not known."""
        return hold_of(key, self.calm)

    def calm_wait_s(self, key: str) -> float:
        """What a request waited for it where all was calm."""
        return min((use.wait_s for use in self.calm_use(key) if use.wait_s is not None), default=0.0)

    def is_inflated(self, key: str, level: Level) -> bool:
        """Whether it is held longer at `level` than when calm, beyond what sampling explains. False where not known.

        Where threads wait for a core everything is held longer, by about as many times as threads wait.
        """
        now_s, calm, short = level.uses[key].hold_s, self.calm_hold(key), 1 + (level.ready or 0.0)
        return now_s is not None and calm is not None and now_s > INFLATED * short * calm.longest_s


def hold_of(key: str, levels: Sequence[Level]) -> Hold | None:
    """How long a resource was held a request over these levels; None where none tells."""
    pairs = [(one, use) for one in levels if (use := one.uses.get(key)) is not None and use.hold_s is not None]
    if not pairs:
        return None
    # By Little's law: places in use over all looks, by requests a second over as many.
    weights = [(use.looks or one.requests) * (one.flow_per_s if use.looks else 1.0) for one, use in pairs]
    held_s = sum(weight * (use.hold_s or 0.0) for weight, (_, use) in zip(weights, pairs, strict=True))
    counted = any(not use.looks for _, use in pairs)
    return Hold(held_s / sum(weights), math.inf if counted else held_s) if sum(weights) else None


def load_of(ordered: Sequence[Level]) -> Load:
    """The levels parted, which come by rising load.

    Pressed are the highest, down to the highest that is not: what was slow at a lower load than one that is not slow was
    slow by chance, and is neither.
    """
    if len(ordered) == 1:
        pressed = _became_slower(ordered[0]) or ordered[0].failed > FAILS
        return Load((), tuple(ordered)) if pressed else Load(tuple(ordered), ())
    fastest_s = min((level.p50_s for level in ordered), default=0.0)
    mean_s = min((level.steady_mean_s for level in ordered), default=0.0)
    by_name_s = _fastest_by_name(ordered)
    is_calm = [
        level.failed <= FAILS
        and not _is_slower(level.p50_s, fastest_s)
        and level.steady_mean_s <= max(MEAN_SLOWER * mean_s, mean_s + 2 * SLOWER_S)
        and not any(_is_slower(p50_s, by_name_s[name]) for name, p50_s in level.p50_by_name_s.items())
        for level in ordered
    ]
    highest = max((index for index, calm in enumerate(is_calm) if calm), default=-1)
    calm = (level for level, calm in zip(ordered, is_calm, strict=True) if calm)
    return Load(tuple(calm), tuple(ordered[highest + 1 :]))


def _is_slower(p50_s: float, fastest_s: float) -> bool:
    return p50_s > max(SLOWER * fastest_s, fastest_s + SLOWER_S)


def _fastest_by_name(levels: Sequence[Level]) -> dict[str, float]:
    fastest: dict[str, float] = {}
    for level in levels:
        for name, p50_s in level.p50_by_name_s.items():
            fastest[name] = min(p50_s, fastest.get(name, p50_s))
    return fastest


def _became_slower(level: Level) -> bool:
    """Whether the level became slower as it went on, which no steady state does."""
    return level.later_s > max(SLOWER * level.sooner_s, level.sooner_s + 5 * SLOWER_S)
