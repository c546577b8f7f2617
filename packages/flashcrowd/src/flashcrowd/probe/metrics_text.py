"""The text of `/metrics`: Prometheus' exposition format and OpenMetrics, as far as names, labels and values go.

Own code, since a look may be 2,000 lines twice a second in the process that sends the load, and most of them (buckets)
are of no use here: they are passed over before they are taken apart.
Format: https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^}\"]|\"(?:[^\"\\]|\\.)*\")*)\})?[ \t]+(\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


class Metric(NamedTuple):
    """One line."""

    name: str
    labels: dict[str, str]
    value: float


def parse_metrics(text: str) -> Iterator[Metric]:
    """The lines that can be read, without buckets and quantiles. Does not raise."""
    for line in text.splitlines():
        if line.startswith("#") or "_bucket" in line or 'quantile="' in line:
            continue
        match = _LINE.match(line)
        if match is None:
            continue
        try:
            value = float(match[3])
        except ValueError:
            continue
        if not math.isfinite(value):
            continue
        yield Metric(match[1], {label: _plain(text) for label, text in _LABEL.findall(match[2] or "")}, value)


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text)
