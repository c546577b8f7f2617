"""The Universal Scalability Law, fitted: what waiting for each other (σ) and keeping in step (κ) cost a target.

N. J. Gunther, "A General Theory of Computational Scalability Based on Rational Functions" (2008):
X(N) = λN / (1 + σ(N − 1) + κN(N − 1)), with N requests under way. By Little's law N / X is the response time R, so that
R = (1 + σ(N − 1) + κN(N − 1)) / λ, which is linear in 1/λ, σ/λ and κ/λ. Fitted by least squares of relative errors in
R, none of the three below 0; the intervals are the linearised ones of Student's t. Three unknowns need no library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple


class Point(NamedTuple):
    """One load: how many requests were under way (1 or more), and how many a second were done."""

    under_way: float
    done_per_s: float


class Interval(NamedTuple):
    """An estimate, and the interval that holds it 95 times of 100 where the law and independent errors do."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scalability:
    """The fitted law."""

    alone_per_s: float
    """λ: what one request under way gets done a second."""
    contention: Interval
    """σ."""
    coherency: Interval
    """κ."""
    misfit: float
    """Root mean square of the relative errors in the response time."""

    def done_per_s(self, under_way: float) -> float:
        """What the law expects with so many under way."""
        sigma, kappa = self.contention.value, self.coherency.value
        return self.alone_per_s * under_way / (1 + sigma * (under_way - 1) + kappa * under_way * (under_way - 1))

    @property
    def peak_under_way(self) -> float | None:
        """How many under way get the most done; None where κ is 0 and more always do."""
        sigma, kappa = self.contention.value, self.coherency.value
        return math.sqrt(max(0.0, 1 - sigma) / kappa) if kappa > 0 else None


def fit_scalability(points: Sequence[Point]) -> Scalability | None:
    """The law that fits `points` best; None with fewer than four, or where the load hardly varied.

    >>> law = fit_scalability([Point(n, 100 * n / (1 + 0.1 * (n - 1))) for n in (1, 2, 4, 8, 16)])
    >>> round(law.contention.value, 3), round(law.coherency.value, 3)
    (0.1, 0.0)
    """
    used = [point for point in points if point.done_per_s > 0 and point.under_way > 0]
    if len(used) < 4 or max(p.under_way for p in used) < 2 * min(p.under_way for p in used):
        return None
    weights = [point.done_per_s / point.under_way for point in used]  # 1/R: errors count as parts of R
    columns = [
        [weight * value for weight, value in zip(weights, values, strict=True)]
        for values in (
            [1.0] * len(used),
            [point.under_way - 1 for point in used],
            [point.under_way * (point.under_way - 1) for point in used],
        )
    ]
    best: tuple[float, tuple[int, ...], list[float]] | None = None
    for size in (1, 2, 3):  # of all choices of unknowns that are not 0, the best with none below: exact, and only four
        for chosen in combinations((1, 2), size - 1):
            kept = (0, *chosen)
            solved = _least_squares([columns[index] for index in kept])
            if solved is None or min(solved) < 0 or solved[0] <= 0:
                continue
            error = _squares([columns[index] for index in kept], solved)
            if best is None or error < best[0] * (1 - 1e-9):
                best = (error, kept, solved)
    if best is None:
        return None
    error, kept, solved = best
    whole = [0.0, 0.0, 0.0]
    for index, value in zip(kept, solved, strict=True):
        whole[index] = value
    free = len(used) - 3
    variance = error / free
    sigma, kappa = _ratios(columns, whole, variance, _student_t(free))
    return Scalability(1 / whole[0], sigma, kappa, math.sqrt(error / len(used)))


def _ratios(
    columns: Sequence[Sequence[float]], solved: Sequence[float], variance: float, t: float
) -> tuple[Interval, Interval]:
    """σ and κ as parts of 1/λ, with the spread of all three unknowns carried over (delta method)."""
    inverse = _inverse([[_dot(one, other) for other in columns] for one in columns])
    intervals = []
    for index in (1, 2):
        ratio = solved[index] / solved[0]
        if inverse is None:
            intervals.append(Interval(ratio, 0.0, math.inf))
            continue
        spread = (
            inverse[index][index] - 2 * ratio * inverse[0][index] + ratio * ratio * inverse[0][0]
        ) * variance / solved[0] ** 2  # fmt: skip
        reach = t * math.sqrt(max(0.0, spread))
        intervals.append(Interval(ratio, max(0.0, ratio - reach), ratio + reach))
    return intervals[0], intervals[1]


def _least_squares(columns: Sequence[Sequence[float]]) -> list[float] | None:
    """The factors of `columns` that come nearest to ones."""
    inverse = _inverse([[_dot(one, other) for other in columns] for one in columns])
    if inverse is None:
        return None
    sums = [sum(column) for column in columns]
    return [_dot(row, sums) for row in inverse]


def _squares(columns: Sequence[Sequence[float]], factors: Sequence[float]) -> float:
    return sum((1 - _dot(row, factors)) ** 2 for row in zip(*columns, strict=True))


def _inverse(matrix: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """Of a small symmetric matrix, by Gauss and Jordan with its rows and columns scaled; None where it has none."""
    size = len(matrix)
    scale = [1 / math.sqrt(matrix[index][index]) if matrix[index][index] > 0 else 0.0 for index in range(size)]
    rows = [
        [matrix[i][j] * scale[i] * scale[j] for j in range(size)] + [float(i == j) for j in range(size)]
        for i in range(size)
    ]
    for i in range(size):
        pivot = max(range(i, size), key=lambda row: abs(rows[row][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        if abs(rows[i][i]) < 1e-12:
            return None
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(size):
            if j != i:
                rows[j] = [value - rows[j][i] * own for value, own in zip(rows[j], rows[i], strict=True)]
    return [[rows[i][size + j] * scale[i] * scale[j] for j in range(size)] for i in range(size)]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
      2.120, 2.110, 2.101, 2.093, 2.086)  # fmt: skip


def _student_t(free: int) -> float:
    """The 97.5th percentile of Student's t, from its table; beyond it by Cornish and Fisher's first term."""
    return _T[free - 1] if free <= len(_T) else 1.96 + 2.37 / free
