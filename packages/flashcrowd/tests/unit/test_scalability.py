from __future__ import annotations

import random

import pytest

from flashcrowd.verdict.usl import Point, Scalability, fit_scalability

LOADS = (1, 2, 3, 5, 8, 12, 18, 26, 40)
PLANTED = [(0.0, 0.0), (0.05, 0.0), (0.3, 0.0), (0.02, 0.0005), (0.1, 0.004), (1.0, 0.0)]


def measured(sigma: float, kappa: float, *, noise: float = 0.0, seed: int = 0) -> list[Point]:
    """What a target of 120/s alone gets done under each load, with so much error in it."""
    dice = random.Random(seed)
    return [Point(n, 120 * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)) * (1 + dice.gauss(0, noise))) for n in LOADS]


def fitted(sigma: float, kappa: float, **how: float) -> Scalability:
    law = fit_scalability(measured(sigma, kappa, **how))
    assert law is not None
    return law


@pytest.mark.parametrize(("sigma", "kappa"), PLANTED)
def test_without_noise_it_finds_what_is_planted(sigma: float, kappa: float) -> None:
    law = fitted(sigma, kappa)
    assert law.contention.value == pytest.approx(sigma, abs=1e-6)
    assert law.coherency.value == pytest.approx(kappa, abs=1e-8)
    assert law.alone_per_s == pytest.approx(120)


@pytest.mark.parametrize(("sigma", "kappa"), PLANTED)
def test_with_noise_its_intervals_hold_what_is_planted_nine_times_of_ten(sigma: float, kappa: float) -> None:
    laws = [fitted(sigma, kappa, noise=0.04, seed=seed) for seed in range(100)]
    assert sum(law.contention.low <= sigma + 1e-12 and sigma <= law.contention.high for law in laws) >= 90
    assert sum(law.coherency.low <= kappa + 1e-12 and kappa <= law.coherency.high for law in laws) >= 90


def test_more_noise_makes_wider_intervals() -> None:
    narrow, wide = fitted(0.05, 0.001, noise=0.01, seed=3), fitted(0.05, 0.001, noise=0.08, seed=3)
    assert wide.contention.high - wide.contention.low > 3 * (narrow.contention.high - narrow.contention.low)


def test_the_peak_is_where_the_law_turns() -> None:
    law = fitted(0.1, 0.004)
    assert law.peak_under_way == pytest.approx(15.0, rel=0.01)
    peak = law.done_per_s(15)
    assert law.done_per_s(10) < peak
    assert law.done_per_s(22) < peak
    assert fitted(0.05, 0.0).peak_under_way is None


@pytest.mark.parametrize(
    "points",
    [[], measured(0.1, 0.0)[:3], [Point(10, 50), Point(11, 50), Point(10.5, 49), Point(10, 51)], [Point(0, 0)] * 8],
)
def test_too_little_is_fitted_by_nothing(points: list[Point]) -> None:
    assert fit_scalability(points) is None
