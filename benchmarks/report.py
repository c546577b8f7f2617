"""The line every benchmark prints, and what machine and commit it was measured on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path


def report(
    name: str,
    unit: str,
    value: float,
    *,
    peer: str = "",
    peer_value: float | None = None,
    ratio: float | None = None,
    goal: str = "",
    note: str = "",
) -> None:
    """Prints one result. `ratio` is value / peer_value where none is given, null without a peer. `note` is left out where
    there is none."""
    if ratio is None and peer_value:
        ratio = value / peer_value
    line = {
        "name": name,
        "unit": unit,
        "value": round(value, 3),
        "peer": peer or None,
        "peer_value": None if peer_value is None else round(peer_value, 3),
        "ratio": None if ratio is None else round(ratio, 3),
        "goal": goal or None,
        "machine": machine(),
        "commit": commit(),
    }
    if note:
        line["note"] = note
    print(json.dumps(line), flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0–1) of the values lie, by nearest rank; 0 where there are none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


def machine() -> str:
    """Processor, cores and Python, enough to know which figures can be compared."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def commit() -> str:
    """The commit measured, with a + where the tree differs from it."""
    try:
        sha = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return sha.stdout.strip() + ("+" if dirty.stdout.strip() else "")
