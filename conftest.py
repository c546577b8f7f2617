"""For every test of the repository: the long ones run only when they are asked for."""

from __future__ import annotations

import os

import pytest

# Before Seawall is imported, here and in what the tests start: every lock order is checked, as no deadlock has to happen.
os.environ.setdefault("SEAWALL_LEVEL", "ordered")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what is marked `soak` unless SOAK is set, as `make soak` does."""
    if os.environ.get("SOAK"):
        return
    skip = pytest.mark.skip(reason="long; run by make soak")
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(skip)
