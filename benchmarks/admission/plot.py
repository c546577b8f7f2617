"""The plot of the documentation: the part of the peak that is left, against the load, for each door."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import log2
from typing import Any

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 58, 200, 34, 52
NAMES = {
    "gate": "Seawall’s gate",
    "limit-concurrency": "uvicorn --limit-concurrency",
    "CapacityLimiter": "anyio.CapacityLimiter",
    "bare": "nothing",
}
INKS: Mapping[str, Mapping[str, str]] = {
    "light": {
        "text": "#1f2933", "soft": "#616e7c", "grid": "#d9dee3", "back": "#ffffff", "gate": "#0b6e99",
        "limit-concurrency": "#b45309", "CapacityLimiter": "#7c3aed", "bare": "#616e7c",
    },
    "dark": {
        "text": "#e6eaee", "soft": "#9aa5b1", "grid": "#39424c", "back": "#1b2027", "gate": "#53c1ee",
        "limit-concurrency": "#f0a04b", "CapacityLimiter": "#b89bfa", "bare": "#9aa5b1",
    },
}  # fmt: skip


def draw(document: Mapping[str, Any], theme: str) -> str:
    """An SVG file, for a light or a dark page. A void run is an empty circle."""
    ink = INKS[theme]
    lines: dict[str, list[tuple[float, float, bool]]] = {}
    for run in document["runs"]:
        if run["part"] == "load":
            share = run["work"] / document["peak_work"]
            lines.setdefault(run["door"], []).append((run["factor"], share, run["is_void"]))
    factors = sorted({factor for points in lines.values() for factor, _, _ in points})
    top = max(1.1, *(share for points in lines.values() for _, share, _ in points))

    def x(factor: float) -> float:
        return LEFT + log2(factor / factors[0]) / log2(factors[-1] / factors[0]) * (WIDTH - LEFT - RIGHT)

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - share / top * (HEIGHT - TOP - BOTTOM)

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{ink["back"]}"/>']
    for percent in (0, 25, 50, 75, 100):
        at = y(percent / 100)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{ink["grid"]}"/>')
        parts.append(_text(LEFT - 8, at + 4, f"{percent} %", ink["soft"], "end"))
    for factor in factors:
        parts.append(_text(x(factor), HEIGHT - BOTTOM + 20, f"{factor:g} ×", ink["soft"], "middle"))
    parts.append(_text(LEFT - 40, 20, "good work, as a part of the service’s own peak", ink["text"], "start"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "offered load, in peaks", ink["text"], "middle"))
    label_y = -99.0
    for door, points in sorted(lines.items(), key=lambda line: -line[1][-1][1]):
        path = "M" + "L".join(f"{x(factor):.1f} {y(share):.1f}" for factor, share, _ in points)
        width = 3 if door == "gate" else 2
        parts.append(
            f'<path d="{path}" fill="none" stroke="{ink[door]}" stroke-width="{width}" stroke-linejoin="round"/>'
        )
        for factor, share, is_void in points:
            told = f"{NAMES[door]}, {factor:g} ×: {100 * share:.0f} %{', void' if is_void else ''}"
            parts.append(
                f'<circle cx="{x(factor):.1f}" cy="{y(share):.1f}" r="4" fill="{ink["back"] if is_void else ink[door]}" '
                f'stroke="{ink[door]}" stroke-width="2"><title>{escape(told)}</title></circle>'
            )
        # Labels come from the top down, none on another; the last ones may have to move up.
        label_y = max(label_y + 17, y(points[-1][1]) + 4)
        parts.append(_text(WIDTH - RIGHT + 10, label_y, NAMES[door], ink[door], "start"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="Good work against offered load, by door" font-family="system-ui, sans-serif" font-size="13">'
        f"{''.join(parts)}</svg>\n"
    )


def _text(x: float, y: float, words: str, fill: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}">{escape(words)}</text>'
