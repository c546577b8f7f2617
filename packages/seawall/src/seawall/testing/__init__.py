"""Tools for testing services built on Seawall: a clock, scripted interleavings, faults; `pytest_plugin` finds leaks."""

from seawall.testing.faults import Failing, Held, leaves_after, no_more_threads
from seawall.testing.interleavings import Hang, Interleaving, explore, explore_all, replay
from seawall.testing.manual_clock import ManualClock

__all__ = [
    "Failing",
    "Hang",
    "Held",
    "Interleaving",
    "ManualClock",
    "explore",
    "explore_all",
    "leaves_after",
    "no_more_threads",
    "replay",
]
