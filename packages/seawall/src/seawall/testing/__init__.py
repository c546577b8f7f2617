"""Tools for testing services built on Seawall."""

from seawall.testing.manual_clock import ManualClock

__all__ = ["ManualClock"]
