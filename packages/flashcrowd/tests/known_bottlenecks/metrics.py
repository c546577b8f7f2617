"""The few metrics that an ordinary service keeps, as Prometheus text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class Metrics:
    """Gauges and summaries by name and labels, and the process's CPU as `prometheus_client` has it."""

    def __init__(self) -> None:
        self._gauges: dict[tuple[str, str], float] = {}
        self._summaries: dict[tuple[str, str], tuple[int, float]] = {}

    def set(self, name: str, labels: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[name, labels] = value

    @contextmanager
    def held(self, name: str, labels: str) -> Iterator[None]:
        """Count one more in a gauge meanwhile."""
        self._gauges[name, labels] = self._gauges.get((name, labels), 0) + 1
        try:
            yield
        finally:
            self._gauges[name, labels] -= 1

    def observe(self, name: str, labels: str, value: float) -> None:
        """Add to a summary."""
        count, total = self._summaries.get((name, labels), (0, 0.0))
        self._summaries[name, labels] = count + 1, total + value

    def text(self) -> str:
        """All of them."""
        times = os.times()
        lines = ["# TYPE process_cpu_seconds_total counter", f"process_cpu_seconds_total {times.user + times.system}"]
        told: set[str] = set()
        for (name, labels), value in self._gauges.items():
            if name not in told:
                lines.append(f"# TYPE {name} gauge")
                told.add(name)
            lines.append(f"{name}{labels} {value:g}")
        for (name, labels), (count, total) in self._summaries.items():
            lines += [f"# TYPE {name} summary", f"{name}_count{labels} {count}", f"{name}_sum{labels} {total:.6f}"]
        return "\n".join([*lines, ""])
