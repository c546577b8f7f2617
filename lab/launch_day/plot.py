"""The plots of the page, as inline SVG; colours come from the page's style sheet, by the class of each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from lab.launch_day.document import Load, StepResult

Scale = Callable[[float], float]

WIDTH, HEIGHT = 1080, 420
LEFT, RIGHT, TOP, BOTTOM = 52, 210, 26, 46
LABEL_APART = 19.0

OUTCOMES = (
    ("good", "good: right and in time"),
    ("refused", "told at once to come back"),
    ("slow", "right, but too late"),
    ("timeouts", "left without an answer"),
    ("errors", "an error"),
)


def goodput(steps: Sequence[StepResult], peak_per_s: float) -> str:
    """Goodput against load, every step in one plot. The load is on a logarithmic scale."""
    factors = sorted({load["factor"] for step in steps for load in step["loads"]})
    top = _nice(1.12 * max(peak_per_s, *(load["goodput_per_s"] for step in steps for load in step["loads"])))
    low, high = log10(factors[0]), log10(factors[-1])

    def x(factor: float) -> float:
        share = (log10(factor) - low) / (high - low) if high > low else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(per_s: float) -> float:
        return HEIGHT - BOTTOM - per_s / top * (HEIGHT - TOP - BOTTOM)

    parts = [*_grid(top, y), *_factors(factors, peak_per_s, x)]
    parts.append(
        f'<line class="peak" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(peak_per_s):.1f}" y2="{y(peak_per_s):.1f}"/>'
        f'<text class="note" x="{WIDTH - RIGHT - 4}" y="{y(peak_per_s) - 7:.1f}" text-anchor="end">'
        f"peak of step 0: {peak_per_s:.1f}/s</text>"
    )
    reach = min(top / peak_per_s, factors[-1])
    offered = [factors[0] * (reach / factors[0]) ** (n / 24) for n in range(25)] if reach > factors[0] else []
    if offered:
        parts.append(f'<path class="offered" d="{_path((x(f), y(f * peak_per_s)) for f in offered)}"/>')
        parts.append(f'<text class="note" x="{x(reach) + 8:.1f}" y="{TOP + 8}">all that was asked for</text>')
    labels = _spread([y(step["loads"][-1]["goodput_per_s"]) for step in steps])
    for step, label_y in zip(steps, labels, strict=True):
        points = [(x(load["factor"]), y(load["goodput_per_s"])) for load in step["loads"]]
        parts.append(f'<g class="step {css_class(step)}"><path class="line" d="{_path(points)}"/>')
        parts += [_point(load, step, at) for load, at in zip(step["loads"], points, strict=True)]
        end = points[-1]
        parts.append(f'<path class="lead" d="M{end[0] + 7:.1f} {end[1]:.1f}L{end[0] + 20:.1f} {label_y:.1f}"/>')
        parts.append(
            f'<text class="name" x="{end[0] + 25:.1f}" y="{label_y + 4.5:.1f}"><tspan class="number">{step["name"]}</tspan> '
            f'{escape(step["title"])} <tspan class="value">{step["loads"][-1]["goodput_per_s"]:.1f}/s</tspan></text></g>'
        )
    return _svg(WIDTH, HEIGHT, "Good answers a second against offered load, by step", parts)


def outcomes(step: StepResult) -> str:
    """What became of the requests of each load: one bar of 100 % each."""
    width, row, left, right = 520, 30, 46, 10
    parts = []
    for n, load in enumerate(step["loads"]):
        top, at = n * row, float(left)
        parts.append(f'<text class="tick" x="{left - 10}" y="{top + 18}" text-anchor="end">{load["factor"]:g} ×</text>')
        for key, words in OUTCOMES:
            count = load["errors"] + load["wrong"] if key == "errors" else int(load[key])  # type: ignore[literal-required]
            length = count / max(1, load["sent"]) * (width - left - right)
            if length <= 0:
                continue
            share = 100 * count / load["sent"]
            parts.append(
                f'<rect class="{key}" x="{at:.1f}" y="{top + 3}" width="{max(1.0, length - 1):.1f}" height="22" rx="3">'
                f"<title>{count} of {load['sent']} ({share:.0f} %): {words}</title></rect>"
            )
            if length > 34:
                middle = f'x="{at + length / 2:.1f}" y="{top + 18.5}" text-anchor="middle"'
                parts.append(f'<text class="in {key}" {middle}>{share:.0f} %</text>')
            at += length
    return _svg(width, row * len(step["loads"]), f"Outcomes of step {step['name']} by load", parts)


def css_class(step: StepResult) -> str:
    """What the style sheet calls this step."""
    return "s" + step["name"].replace(" ", "-")


def _grid(top: float, y: Scale) -> Iterator[str]:
    for n in range(5):
        value = top * n / 4
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        yield f'<text class="tick" x="{LEFT - 10}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'


def _factors(factors: Sequence[float], peak_per_s: float, x: Scale) -> Iterator[str]:
    for factor in factors:
        yield f'<text class="factor" x="{x(factor):.1f}" y="{HEIGHT - 24}" text-anchor="middle">{factor:g} ×</text>'
        yield (
            f'<text class="tick" x="{x(factor):.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
            f"{factor * peak_per_s:.0f}/s</text>"
        )


def _point(load: Load, step: StepResult, at: tuple[float, float]) -> str:
    back = "not back while watched" if load["recovery_s"] is None else f"back after {load['recovery_s']:.1f} s"
    told = (
        f"Step {step['name']}, {load['factor']:g} ×: {load['goodput_per_s']:.1f} good of {load['offered_per_s']:.1f}/s, "
        f"p50 {load['p50_ms']} ms, {back}{', void: the generator was the limit' if load['void'] else ''}"
    )
    void = " void" if load["void"] else ""
    return f'<circle class="point{void}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="5"><title>{escape(told)}</title></circle>'


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points)


def _spread(wanted: Sequence[float]) -> list[float]:
    """Heights for labels, near those wanted, so that none covers another and none leaves the plot."""
    order = sorted(range(len(wanted)), key=lambda n: wanted[n])
    placed = [0.0] * len(wanted)
    floor_y = HEIGHT - BOTTOM
    for rank, n in enumerate(order):
        above = placed[order[rank - 1]] + LABEL_APART if rank else TOP
        placed[n] = max(wanted[n], above)
    limit = float(floor_y)
    for n in reversed(order):
        placed[n] = min(placed[n], limit)
        limit = placed[n] - LABEL_APART
    return placed


def _nice(value: float) -> float:
    """The next value up that divides into four readable ticks."""
    unit: float = 10.0 ** floor(log10(value)) / 2.5
    return ceil(value / unit) * unit


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
