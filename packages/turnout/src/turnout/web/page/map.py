"""The world in the steps of a scale, by visitors. Pure; the outlines are in `static/world.svg`, by code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import count, pairwise, takewhile

import msgspec

from turnout.web.assets import STATIC

OUTLINES = "world.svg"
STEPS = 6


class MapValue(msgspec.Struct, frozen=True):
    """A country's row: ISO 3166 code, name, visitors, share in words (empty while not known), address that filters by it."""

    code: str
    name: str
    visitors: int
    share_text: str
    href: str


class Shape(msgspec.Struct, frozen=True):
    """A country with visitors: which outline, in which step of the scale, what it says and where it leads."""

    code: str
    step: int
    title: str
    href: str


class ScaleStep(msgspec.Struct, frozen=True):
    """A line of the legend: steps count from 1."""

    step: int
    label: str


class WorldMap(msgspec.Struct, frozen=True):
    """What `templates/_map.html` draws. Shapes come by visitors, and dots after outlines, which could hide them."""

    view_box: str
    shapes: tuple[Shape, ...]
    scale: tuple[ScaleStep, ...]
    unplaced: str
    """Those whom the map can't show, in words; empty where there are none."""


def draw_map(rows: Sequence[MapValue]) -> WorldMap:
    """The map of these countries. A code that the map does not have (or the empty one) is counted as unplaced."""
    shown = [row for row in rows if row.visitors > 0]
    view_box, places = _outlines()
    placed = sorted((row for row in shown if row.code in places), key=lambda row: -row.visitors)
    lowest = scale_of([row.visitors for row in placed])
    shapes = [Shape(row.code, _step(lowest, row.visitors), _title(row), row.href) for row in placed]
    elsewhere = sum(row.visitors for row in shown if row.code not in places)
    return WorldMap(
        view_box=view_box,
        shapes=tuple(sorted(shapes, key=lambda shape: places[shape.code])),
        scale=tuple(ScaleStep(at, label) for at, label in enumerate(_labels(lowest), start=1)),
        unplaced=f"{_visitors(elsewhere)} of countries not known or not on the map" if elsewhere else "",
    )


def scale_of(values: Sequence[int]) -> list[int]:
    """The lowest value of each step: round numbers (1, 2 or 5 times a power of ten), about evenly spaced by ratio.

    At most `STEPS`, the first at or below the least value, the last at or below the greatest.
    """
    if not values:
        return []
    round_numbers = (times * 10**power for power in count() for times in (1, 2, 5))
    fitting = list(takewhile(lambda number: number <= max(values), round_numbers))
    first = max(at for at, number in enumerate(fitting) if number <= max(min(values), 1))
    fitting = fitting[first:]
    if len(fitting) <= STEPS:
        return fitting
    return [fitting[round(at * (len(fitting) - 1) / (STEPS - 1))] for at in range(STEPS)]


def _step(lowest: Sequence[int], visitors: int) -> int:
    return sum(visitors >= least for least in lowest)


def _labels(lowest: Sequence[int]) -> list[str]:
    """`1`, `2–4`, `5–9`, `10 or more`."""
    labels = []
    for least, following in pairwise(lowest):
        labels.append(f"{least:,}" if following == least + 1 else f"{least:,}–{following - 1:,}")
    return labels + [f"{least:,} or more" for least in lowest[-1:]]


def _title(row: MapValue) -> str:
    return ", ".join(part for part in (f"{row.name}: {_visitors(row.visitors)}", row.share_text) if part)


def _visitors(number: int) -> str:
    return "1 visitor" if number == 1 else f"{number:,} visitors"


@cache
def _outlines() -> tuple[str, dict[str, bool]]:
    """The drawing's view box; the codes that have a shape in it, and whether it is a dot."""
    drawn = (STATIC / OUTLINES).read_text(encoding="ascii")
    view_box = drawn.split('viewBox="')[1].split('"')[0]
    shapes = re.findall(r'<(path|circle) id="([A-Z]{2})"', drawn)
    return view_box, {code: kind == "circle" for kind, code in shapes}
