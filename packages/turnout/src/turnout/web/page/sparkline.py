"""Small lines without axes, one a site. Pure: numbers in, geometry and words out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from turnout.web.page.numbers import short_count

WIDTH, HEIGHT, PAD = 260, 56, 3


class Sparkline(msgspec.Struct, frozen=True):
    """A line in a box of `WIDTH` by `HEIGHT`, the area below it, and what it says in words."""

    line: str
    area: str
    total: str
    words: str


def draw_sparkline(values: Sequence[int]) -> Sparkline:
    """The line of `values`, a day each, the last one today's; on the ground where all are zero."""
    line = trace(values)
    total = sum(values)
    words = f"{total:,} visitors in {len(values)} days, {max(values, default=0):,} on the busiest, {values[-1]:,} today"
    return Sparkline(line, f"{line}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z", short_count(total), words)


def trace(values: Sequence[float]) -> str:
    """The path of `values` through the box, from 0 at the ground to the highest at the top."""
    highest = max(values, default=0) or 1
    step = WIDTH / max(len(values) - 1, 1)
    spots = [
        f"{index * step:.1f} {HEIGHT - PAD - (HEIGHT - 2 * PAD) * value / highest:.1f}"
        for index, value in enumerate(values)
    ]
    return "M" + "L".join(spots)
