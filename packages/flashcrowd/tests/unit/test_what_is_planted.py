from __future__ import annotations

from collections import Counter
from typing import get_args

from known_bottlenecks.planted import draw
from known_bottlenecks.serve import NAMES, planted

from flashcrowd.samples import ResourceKind

SINGLE = [name for name in NAMES if planted(name).kind and not planted(name).also]


def test_twenty_one_have_one_fault_and_eight_of_them_have_nothing_of_ours() -> None:
    assert len(SINGLE) == 21
    assert sum(planted(name).exposes != "seawall" for name in SINGLE) == 8


def test_two_have_two_faults_and_five_are_healthy() -> None:
    assert sum(bool(planted(name).also) for name in NAMES) == 2
    assert sum(planted(name).is_healthy for name in NAMES) == 5


def test_every_kind_of_resource_is_planted() -> None:
    assert set(Counter(planted(name).kind for name in SINGLE)) == set(get_args(ResourceKind))


def test_five_can_be_widened() -> None:
    assert sum(planted(name).can_widen for name in SINGLE) >= 5


def test_a_seed_draws_the_same_sizes_again_and_another_seed_others() -> None:
    assert draw("lock_tasks", 1) == draw("lock_tasks", 1)
    assert len({draw("lock_tasks", seed).hold_s for seed in range(5)}) == 5


def test_widening_doubles_the_places_and_changes_nothing_else() -> None:
    narrow, wide = draw("thread_pool", 3), draw("thread_pool", 3, widened=2)
    assert wide.capacity_per_s == 2 * narrow.capacity_per_s
    assert (wide.hold_s, wide.factors) == (narrow.hold_s, narrow.factors)
