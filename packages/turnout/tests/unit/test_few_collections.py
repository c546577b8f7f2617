from __future__ import annotations

import gc

from turnout.serve import GENERATIONS, few_collections


def test_python_looks_for_garbage_seldom_while_serving_and_as_before_afterwards() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    with few_collections():
        assert gc.get_threshold() == GENERATIONS
        assert gc.get_freeze_count() > 10_000  # what was imported, at the least
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
