"""A line chart as SVG geometry, drawn by the server. Pure: numbers in, places out; the template only spells them.

Every point has a band as wide as its share of the chart, which shows the point's value under the pointer by CSS alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

import msgspec

from turnout.web.page.numbers import metric_full, metric_text, scale_text

TIP_WIDTH, TIP_HEIGHT = 168, 46


class Frame(msgspec.Struct, frozen=True):
    """A size to draw in: the view box, the plot's edges in it, and how many dates fit below."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    dates: int


WIDE = Frame(1080, 250, 54, 1066, 22, 216, 8)
NARROW = Frame(380, 230, 46, 370, 20, 198, 4)
"""For phones: scaling the wide one down would make its words too small to read."""


class Point(msgspec.Struct, frozen=True):
    """One bucket: its place, its band, its words. Places are in units of the view box."""

    x: float
    y: float
    band_x: float
    band_width: float
    tip_x: float
    tip_y: float
    label: str
    value: str


class Mark(msgspec.Struct, frozen=True):
    """A line of the scale, or a date below the chart."""

    at: float
    text: str


class Chart(msgspec.Struct, frozen=True):
    """All a template needs. `running`: the last stretch, drawn dashed, where its bucket is not over; empty else."""

    frame: Frame
    points: tuple[Point, ...]
    scale: tuple[Mark, ...]
    dates: tuple[Mark, ...]
    line: str
    area: str
    running: str


def draw_chart(
    frame: Frame,
    metric: str,
    labels: Sequence[str],
    short_labels: Sequence[str],
    values: Sequence[float],
    *,
    is_running: bool,
) -> Chart:
    """The chart of `values`. `labels` name the points in full, `short_labels` below the axis; all of one length.

    `is_running`: the last bucket is not over, so the way to it is drawn as a guess.
    """
    steps = scale_steps(max(values, default=0), metric)
    count = len(values)
    spots = [_spot(frame, index, count, value / steps[-1]) for index, value in enumerate(values)]
    running = is_running and count > 1
    every = max(1, ceil(count / frame.dates))
    return Chart(
        frame=frame,
        points=tuple(
            _point(
                frame,
                spot,
                count,
                label,
                metric_text(metric, value) if metric == "visit_duration" else metric_full(metric, value),
            )
            for spot, label, value in zip(spots, labels, values, strict=True)
        ),
        scale=tuple(Mark(_spot(frame, 0, 1, step / steps[-1])[1], scale_text(metric, step)) for step in steps),
        dates=tuple(Mark(spots[index][0], short_labels[index]) for index in range((every - 1) // 2, count, every)),
        line=_path(spots[:-1] if running else spots),
        area=f"{_path(spots)}L{spots[-1][0]} {frame.bottom}L{spots[0][0]} {frame.bottom}Z" if count > 1 else "",
        running=_path(spots[-2:]) if running else "",
    )


def _spot(frame: Frame, index: int, count: int, height: float) -> tuple[float, float]:
    across = index / (count - 1) if count > 1 else 0.5
    x = frame.left + (frame.right - frame.left) * across
    return round(x, 1), round(frame.bottom - (frame.bottom - frame.top) * height, 1)


def _point(frame: Frame, spot: tuple[float, float], count: int, label: str, value: str) -> Point:
    x, y = spot
    band = (frame.right - frame.left) / max(count - 1, 1)
    above = y - TIP_HEIGHT - 12
    return Point(
        x=x,
        y=y,
        band_x=round(x - band / 2, 1),
        band_width=round(band, 1),
        tip_x=round(min(max(x - TIP_WIDTH / 2, 2), frame.width - TIP_WIDTH - 2), 1),
        tip_y=round(above if above >= 0 else y + 14, 1),
        label=label,
        value=value,
    )


_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600)
"""Steps of a scale of time: what clocks and people count in. A visit is at most a day long."""


def scale_steps(highest: float, metric: str) -> list[float]:
    """Round steps from 0 to at or above `highest`, two to six of them: 1, 2, 2.5 or 5 times a power of ten apart.

    Counts have whole steps; durations those of `_SECONDS`.
    """
    rough = max(highest, 1e-9) / 4
    power = 10.0 ** floor(log10(rough))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough)
    if metric == "visit_duration":
        step = float(next((seconds for seconds in _SECONDS if seconds >= rough), step))
    elif metric != "views_per_visit":
        step = max(1.0, float(ceil(step)))
    if highest <= 0:
        step = 1.0
    return [step * index for index in range(max(2, ceil(highest / step) + 1))]


def _path(spots: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in spots) if spots else ""
