"""Two runs side by side, and which differences are more than the runs' own seconds scatter.

Seconds at the same place of the same arrivals are paired. Their differences are put into batches of neighbours, since what
happens in one second goes on in the next, and Student's t on the means of the batches gives the interval: the method of batch
means, as in A. M. Law, *Simulation Modeling and Analysis*, chapter 9. A difference counts where the interval of 99 % leaves
out zero. Two starts of one service may differ by more than their seconds do: only runs that are repeated show that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

from flashcrowd.report.figures import milliseconds, rate, share
from flashcrowd.result import RunResult, Second

Better = Literal["more", "less"]

FEWEST, MOST = 5, 10
STUDENT_99 = {4: 4.604, 5: 4.032, 6: 3.707, 7: 3.499, 8: 3.355, 9: 3.250}
"""The two-sided 99 % points of Student's t, by degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a run, and the same of one second. A second without a right answer has no latency: None."""

    name: str
    of_run: Callable[[RunResult], float]
    of_second: Callable[[Second], float | None]
    shown: Callable[[float], str]
    better: Better
    is_ratio: bool = False
    """Whether seconds are compared by the logarithm of their ratio: what grows in a line is longer by a factor."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both runs."""

    measure: Measure
    before: float
    after: float
    interval: tuple[float, float] | None
    """Where the mean of the seconds' differences, or logarithms of ratios, lies with 99 %; None where too few seconds can be
    compared."""

    @property
    def is_real(self) -> bool:
        """Whether the seconds differ by more than they scatter."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `within chance`, or `not known`."""
        if self.interval is None:
            return "not known"
        if not self.is_real:
            return "within chance"
        return "better" if (self.interval[0] > 0) == (self.measure.better == "more") else "worse"


def _failed(of: RunResult | Second, kinds: Sequence[str] = ()) -> float:
    lost = sum(of.errors.values()) if not kinds else sum(of.errors.get(kind, 0) for kind in kinds)
    return lost / of.requests if of.requests else 0.0


MEASURES = (
    Measure("goodput", lambda run: run.goodput_per_s, lambda s: float(s.good), rate, "more"),
    Measure(
        "p50",
        lambda run: run.latency_ms.p50,
        lambda s: _latency(s, s.latency_ms.p50),
        milliseconds,
        "less",
        is_ratio=True,
    ),
    Measure(
        "p95",
        lambda run: run.latency_ms.p95,
        lambda s: _latency(s, s.latency_ms.p95),
        milliseconds,
        "less",
        is_ratio=True,
    ),
    Measure(
        "p99",
        lambda run: run.latency_ms.p99,
        lambda s: _latency(s, s.latency_ms.p99),
        milliseconds,
        "less",
        is_ratio=True,
    ),
    Measure("errors", _failed, _failed, share, "less"),
    Measure("refused", lambda run: _failed(run, ("refused",)), lambda s: _failed(s, ("refused",)), share, "less"),
)


def differences(before: RunResult, after: RunResult) -> tuple[Difference, ...]:
    """Every measure of both runs. Nothing is judged where the arrivals differ, or a run is void."""
    judged = before.arrivals == after.arrivals and not before.void and not after.void
    return tuple(
        Difference(
            measure,
            measure.of_run(before),
            measure.of_run(after),
            interval(_pairs(before, after, measure)) if judged else None,
        )
        for measure in MEASURES
    )


def warnings(before: RunResult, after: RunResult) -> Iterator[str]:
    """What keeps the two from being compared, in sentences."""
    for name, run in (("first", before), ("second", after)):
        if run.void:
            yield f"The {name} run is void: {run.void_reason}. Its figures say nothing about the target."
    for what, one, other in (
        ("arrivals", before.arrivals, after.arrivals),
        ("users", before.users, after.users),
        ("targets", before.target, after.target),
        ("machines", before.machine, after.machine),
    ):
        if one != other:
            yield f"The {what} differ: {one} · {other}."
    if before.arrivals != after.arrivals:
        yield "Under different arrivals no difference is judged."
    elif min(len(before.seconds), len(after.seconds)) < FEWEST:
        yield f"Runs of less than {FEWEST} seconds are too short to tell a difference from chance."
    if before.seed != after.seed and before.arrivals == after.arrivals:
        yield f"The seeds differ ({before.seed} · {after.seed}): the users did not come at the same instants."


def interval(differences: Sequence[float]) -> tuple[float, float] | None:
    """Where the mean of a series lies with 99 %, by batch means; None for fewer than five values.

    Neighbours may depend on each other, as long as the tenth part of the series is longer than what they remember.

    >>> interval([1.0, 1.0, 1.0, 1.0, 1.0])
    (1.0, 1.0)
    """
    if len(differences) < FEWEST:
        return None
    batches = max(FEWEST, min(MOST, len(differences) // 2))
    edges = [round(n * len(differences) / batches) for n in range(batches + 1)]
    means = [fmean(differences[start:end]) for start, end in itertools.pairwise(edges)]
    half = STUDENT_99[batches - 1] * stdev(means) / math.sqrt(batches)
    middle = fmean(means)
    return middle - half, middle + half


def _pairs(before: RunResult, after: RunResult, measure: Measure) -> list[float]:
    whole_s = min(before.duration_s, after.duration_s)  # what comes after it is only what was left to be done
    pairs = (
        (measure.of_second(one), measure.of_second(other))
        for one, other in zip(before.seconds, after.seconds, strict=False)
        if one.at_s + 1 <= whole_s
    )
    known = [(one, other) for one, other in pairs if one is not None and other is not None]
    if measure.is_ratio:
        return [math.log(other / one) for one, other in known if one > 0 and other > 0]
    return [other - one for one, other in known]


def _latency(second: Second, value: float) -> float | None:
    return value if second.latency_ms.count else None
