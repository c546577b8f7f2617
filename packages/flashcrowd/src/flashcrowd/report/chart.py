"""A chart as HTML: lines and areas in SVG that is stretched to the width there is, and its words beside it in HTML.

So a chart is readable on a phone as on a wide screen, without a script: only the SVG is stretched, and strokes and letters
keep their size. All values are drawn as they are given; a chart knows nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Literal

SIDE = 1000.0
"""The SVG is so many units wide and high, whatever its size on the page."""

NOTHING = 1e-6
"""Values that differ by less are drawn as one: nothing here is measured in millionths."""

Point = tuple[float, float]
Shown = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values, and where its ticks are."""

    low: float
    high: float
    ticks: tuple[float, ...]
    shown: Shown
    is_log: bool = False

    def share(self, value: float) -> float:
        """Where the value is, from 0 at the low end to 1 at the high end; those beyond are at the ends."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = log10(low), log10(high), log10(max(value, self.low))
        return min(1.0, max(0.0, (value - low) / (high - low)))


@dataclass(frozen=True, slots=True)
class Series:
    """Values that belong together. `colour` is a class of the style sheet."""

    name: str
    colour: str
    points: Sequence[Point]
    shape: Literal["line", "dashed", "area", "dots"] = "line"
    below: Sequence[float] = ()
    """The lower edge of an area, one value a point; empty: the low end."""
    titles: Sequence[str] = ()
    """Of dots: what is shown when one is pointed at."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the whole chart, with its words."""

    at: float
    words: str
    along: Literal["x", "y"]
    """`x`: a vertical line at that x; `y`: a horizontal one at that y."""


def linear(values: Sequence[float], shown: Shown, *, from_zero: bool = True) -> Axis:
    """An axis that holds all `values`, with round ticks; it begins at 0 unless told otherwise, and is never empty.

    >>> linear([3.0, 87.0], str).ticks
    (0.0, 25.0, 50.0, 75.0, 100.0)
    """
    low, high = (0.0 if from_zero else min(values, default=0.0)), max(values, default=1.0)
    if high - low < NOTHING:
        high = low + 1.0
    unit = _round_up((high - low) / 4)
    first = floor(low / unit) * unit
    ticks = tuple(round(first + n * unit, 10) for n in range(ceil(round((high - first) / unit, 6)) + 1))
    return Axis(first, ticks[-1], ticks, shown)


def spanning(low: float, high: float, shown: Shown) -> Axis:
    """An axis from exactly `low` to exactly `high`, as for time, with round ticks within."""
    unit = _round_up(max(high - low, 1e-9) / 6)
    return Axis(low, high, tuple(n * unit for n in range(ceil(low / unit), floor(high / unit + 1e-9) + 1)), shown)


def logarithmic(values: Sequence[float], shown: Shown) -> Axis:
    """An axis over whole powers of ten that holds all `values` above 0.

    >>> logarithmic([12.0, 870.0], str).ticks
    (10.0, 100.0, 1000.0)
    """
    known = [value for value in values if value > 0]
    low = floor(log10(min(known, default=1.0)) + 1e-9)
    high = max(ceil(log10(max(known, default=10.0)) - 1e-9), low + 1)
    return Axis(10.0**low, 10.0**high, tuple(10.0**n for n in range(low, high + 1)), shown, is_log=True)


def chart(
    label: str,
    x: Axis,
    y: Axis,
    series: Sequence[Series],
    *,
    marks: Sequence[Mark] = (),
    titles: Sequence[tuple[float, float, str]] = (),
    small: bool = False,
    x_words: bool = True,
) -> str:
    """The chart as HTML. `label` says what it shows to those who can't see it.

    `titles` are (from x, to x, words): what is shown when one points there.
    """

    def at_x(value: float) -> float:
        return x.share(value) * SIDE

    def at_y(value: float) -> float:
        return SIDE - y.share(value) * SIDE

    parts = [f'<path class="grid" d="M0 {at_y(tick):.1f}H{SIDE:.0f}"/>' for tick in y.ticks]
    parts += [_drawn(one, at_x, at_y) for one in series]
    for mark in marks:
        line = f"M{at_x(mark.at):.1f} 0V{SIDE:.0f}" if mark.along == "x" else f"M0 {at_y(mark.at):.1f}H{SIDE:.0f}"
        parts.append(f'<path class="mark" d="{line}"/>')
    for start, end, words in titles:
        left = at_x(start)
        parts.append(
            f'<rect class="spot" x="{left:.1f}" y="0" width="{max(0.5, at_x(end) - left):.1f}" height="{SIDE:.0f}">'
            f"<title>{escape(words)}</title></rect>"
        )
    words_y = "".join(
        f'<span class="y" style="top:{100 - 100 * y.share(tick):.2f}%">{escape(y.shown(tick))}</span>'
        for tick in y.ticks
    )
    words_x = "".join(
        f'<span class="x{" odd" if n % 2 else ""}" style="left:{100 * x.share(tick):.2f}%">{escape(x.shown(tick))}</span>'
        for n, tick in enumerate(x.ticks)
    )
    words_of_marks = "".join(_words(mark, x, y) for mark in marks)
    return (
        f'<div class="chart{" small" if small else ""}{"" if x_words else " bare"}">'
        f'<div class="ys" aria-hidden="true">{words_y}</div>'
        f'<div class="area"><svg viewBox="0 0 {SIDE:.0f} {SIDE:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>{words_of_marks}</div>'
        f'<div class="xs" aria-hidden="true">{words_x if x_words else ""}</div></div>'
    )


def legend(series: Sequence[Series]) -> str:
    """What the colours mean."""
    items = "".join(
        f'<li><i class="{one.colour}{" dashed" if one.shape == "dashed" else ""}"></i>{escape(one.name)}</li>'
        for one in series
        if one.name
    )
    return f'<ul class="legend">{items}</ul>'


def stepped(edges: Sequence[tuple[float, float, float]]) -> list[Point]:
    """Points of a line with steps, from (from x, to x, value)."""
    return [point for start, end, value in edges for point in ((start, value), (end, value))]


def _drawn(one: Series, at_x: Callable[[float], float], at_y: Callable[[float], float]) -> str:
    if not one.points:
        return ""
    at = [(at_x(px), at_y(py)) for px, py in one.points]
    if one.shape == "dots":  # lines of no length, since a circle would be stretched; their ends are round and are not
        titles = one.titles or [""] * len(at)
        return "".join(
            f'<path class="dot {one.colour}" d="M{px:.1f} {py:.1f}h0">'
            + (f"<title>{escape(title)}</title>" if title else "")
            + "</path>"
            for (px, py), title in zip(at, titles, strict=True)
        )
    line = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in at)
    if one.shape == "area":
        below = [at_y(value) for value in one.below] if one.below else [SIDE] * len(at)
        back = "L".join(f"{px:.1f} {py:.1f}" for (px, _), py in zip(reversed(at), reversed(below), strict=True))
        return f'<path class="fill {one.colour}" d="{line}L{back}Z"/>'
    return f'<path class="{one.shape} {one.colour}" d="{line}"/>'


def _words(mark: Mark, x: Axis, y: Axis) -> str:
    if mark.along == "y":
        return f'<span class="words across" style="top:{100 - 100 * y.share(mark.at):.2f}%">{escape(mark.words)}</span>'
    share = x.share(mark.at)
    side = f"right:{100 - 100 * share:.2f}%" if share > 0.5 else f"left:{100 * share:.2f}%"
    return f'<span class="words up" style="{side}">{escape(mark.words)}</span>'


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten."""
    power: float = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if value <= step * power * (1 + 1e-9))
