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
INKS = {"gate": "good", "limit-concurrency": "ink", "CapacityLimiter": "soft", "bare": "bad"}
DASHES = {"gate": "none", "limit-concurrency": "7 4", "CapacityLimiter": "2 4", "bare": "none"}
# The palette of tools/drawing.py; in the site the page's own style sheet takes its place.
STYLE = """<style>
svg.drawing { --d-ink: #16202b; --d-soft: #51606e; --d-line: #c3ced8; --d-card: #ffffff; --d-good: #0b7069;
--d-bad: #b92d22; }
@media (prefers-color-scheme: dark) { svg.drawing { --d-ink: #e8edf2; --d-soft: #a3b3c1; --d-line: #3a4a59;
--d-card: #141d26; --d-good: #45c6b9; --d-bad: #ff8b7d; } }
svg.drawing text { font: 13px Inter, ui-sans-serif, system-ui, sans-serif; }
</style>"""


def draw(document: Mapping[str, Any]) -> str:
    """An SVG file whose colours follow light and dark. A void run is an empty circle."""
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

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="var(--d-card)"/>']
    for percent in (0, 25, 50, 75, 100):
        at = y(percent / 100)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="var(--d-line)"/>')
        parts.append(_text(LEFT - 8, at + 4, f"{percent} %", "soft", "end"))
    for factor in factors:
        parts.append(_text(x(factor), HEIGHT - BOTTOM + 20, f"{factor:g} ×", "soft", "middle"))
    parts.append(_text(LEFT - 40, 20, "good work, as a part of the service’s own peak", "ink", "start"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "offered load, in peaks", "ink", "middle"))
    if any(is_void for points in lines.values() for _, _, is_void in points):
        parts.append(_text(WIDTH - RIGHT, 20, "○ the generator was late: void", "soft", "end"))
    label_y = -99.0
    for door, points in sorted(lines.items(), key=lambda line: -line[1][-1][1]):
        path = "M" + "L".join(f"{x(factor):.1f} {y(share):.1f}" for factor, share, _ in points)
        width = 3 if door == "gate" else 2
        ink, dashes = f"var(--d-{INKS[door]})", DASHES[door]
        parts.append(
            f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{width}" stroke-dasharray="{dashes}"/>'
        )
        for factor, share, is_void in points:
            told = f"{NAMES[door]}, {factor:g} ×: {100 * share:.0f} %{', void' if is_void else ''}"
            parts.append(
                f'<circle cx="{x(factor):.1f}" cy="{y(share):.1f}" r="4" fill="{"var(--d-card)" if is_void else ink}" '
                f'stroke="{ink}" stroke-width="2"><title>{escape(told)}</title></circle>'
            )
        # Labels come from the top down, none on another; the last ones may have to move up.
        label_y = max(label_y + 17, y(points[-1][1]) + 4)
        parts.append(_text(WIDTH - RIGHT + 10, label_y, NAMES[door], INKS[door], "start"))
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    label = "Good work against offered load, by what stands in front of the service"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img" aria-label="{label}" {size}>'
    return f"{opening}\n{STYLE}\n{''.join(parts)}</svg>\n"


def _text(x: float, y: float, words: str, ink: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" style="fill: var(--d-{ink})" text-anchor="{anchor}">{escape(words)}</text>'
