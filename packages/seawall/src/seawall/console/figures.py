"""Every figure of a snapshot as plain data, for tools that look twice a second."""

from __future__ import annotations

import os
from dataclasses import asdict, replace

from seawall.observe.registry import snapshot


def figures() -> dict[str, object]:
    """The snapshot and the process's own `cpu_s`. Without what carries stacks, which the page has: those are long."""
    times = os.times()
    found = asdict(replace(snapshot(), waits=(), deadlocks=(), found=()))
    return {**found, "process": {"cpu_s": round(times.user + times.system, 3)}}
