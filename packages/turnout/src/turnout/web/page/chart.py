"""A line chart as SVG geometry, drawn by the server. Pure: numbers in, places out; the template only spells them.

Every point has a band as wide as its share of the chart, which shows the point's value under the pointer by CSS alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10

import msgspec

from turnout.web.page.numbers import metric_full, metric_text, scale_text

TIP_WIDTH, TIP_HEIGHT = 176, 46
TIP_HEIGHT_COMPARED = 80
MAX_BANDS = 200
"""More points have no bands: each would be too narrow to point at. The script's pointer and the table show them all."""


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
    label_before: str = ""
    value_before: str = ""


class Mark(msgspec.Struct, frozen=True):
    """A line of the scale, or a date below the chart."""

    at: float
    text: str


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn: labels and values of one length. `before`: the values of the time compared with, by index.

    `ticks`: the distances in buckets at which dates may stand below the axis, each of which divides the next; they
    stand where the distance divides the bucket's number, the first bucket's being `number`. Any distance without them.
    """

    metric: str
    labels: Sequence[str]
    short_labels: Sequence[str]
    values: Sequence[float]
    is_running: bool
    labels_before: Sequence[str] = ()
    before: Sequence[float] = ()
    ticks: tuple[int, ...] = ()
    number: int = 0


class Chart(msgspec.Struct, frozen=True):
    """All a template needs. `running`: the last stretch, drawn dashed, where its bucket is not over; empty else.

    `before`: the line of the time compared with; empty without one. `tip_height` is the same for all points.
    """

    frame: Frame
    points: tuple[Point, ...]
    scale: tuple[Mark, ...]
    dates: tuple[Mark, ...]
    line: str
    area: str
    running: str
    before: str
    is_dense: bool
    tip_width: int
    tip_height: int


def draw_chart(frame: Frame, lines: Lines) -> Chart:
    """The chart of `lines`. Where `is_running`, the last bucket is not over, so the way to it is drawn as a guess."""
    values, count = lines.values, len(lines.values)
    steps = scale_steps(max([*values, *lines.before], default=0), lines.metric)
    spots = [_spot(frame, index, count, value / steps[-1]) for index, value in enumerate(values)]
    # Longer than the span where a month is: what has no counterpart is left out.
    spots_before = [_spot(frame, index, count, value / steps[-1]) for index, value in enumerate(lines.before[:count])]
    running = lines.is_running and count > 1
    tip_height = TIP_HEIGHT_COMPARED if lines.before else TIP_HEIGHT
    return Chart(
        frame=frame,
        points=tuple(_points(frame, lines, spots, tip_height)) if count <= MAX_BANDS else (),
        scale=tuple(Mark(_spot(frame, 0, 1, step / steps[-1])[1], scale_text(lines.metric, step)) for step in steps),
        dates=tuple(_dates(frame, lines, spots)),
        line=_path(spots[:-1] if running else spots),
        area=f"{_path(spots)}L{spots[-1][0]} {frame.bottom}L{spots[0][0]} {frame.bottom}Z" if count > 1 else "",
        running=_path(spots[-2:]) if running else "",
        before=_path(spots_before) if len(spots_before) > 1 else "",
        is_dense=count > MAX_BANDS,
        tip_width=TIP_WIDTH,
        tip_height=tip_height,
    )


def point_text(metric: str, value: float) -> str:
    """A value as the chart's tips and table say it."""
    return metric_text(metric, value) if metric == "visit_duration" else metric_full(metric, value)


def _dates(frame: Frame, lines: Lines, spots: Sequence[tuple[float, float]]) -> Iterator[Mark]:
    least = max(1, ceil(len(spots) / frame.dates))
    every = next((tick for tick in lines.ticks if tick >= least), least)
    begin = -lines.number % every if every in lines.ticks else (every - 1) // 2
    for index in range(begin, len(spots), every):
        yield Mark(spots[index][0], lines.short_labels[index])


def _points(frame: Frame, lines: Lines, spots: Sequence[tuple[float, float]], tip_height: int) -> Iterator[Point]:
    band = (frame.right - frame.left) / max(len(spots) - 1, 1)
    for index, (x, y) in enumerate(spots):
        above = y - tip_height - 12
        has_before = index < len(lines.before)
        yield Point(
            x=x,
            y=y,
            band_x=round(x - band / 2, 1),
            band_width=round(band, 1),
            tip_x=round(min(max(x - TIP_WIDTH / 2, 2), frame.width - TIP_WIDTH - 2), 1),
            # Beside the point where there is no room above it: never over it, never out of the picture.
            tip_y=round(above if above >= 0 else min(y + 14, frame.bottom - tip_height), 1),
            label=lines.labels[index],
            value=point_text(lines.metric, lines.values[index]),
            label_before=lines.labels_before[index] if has_before else "",
            value_before=point_text(lines.metric, lines.before[index]) if has_before else "",
        )


def _spot(frame: Frame, index: int, count: int, height: float) -> tuple[float, float]:
    across = index / (count - 1) if count > 1 else 0.5
    x = frame.left + (frame.right - frame.left) * across
    return round(x, 1), round(frame.bottom - (frame.bottom - frame.top) * height, 1)


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
