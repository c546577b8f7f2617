"""A small canvas for the handbook's drawings: SVG whose colours follow light and dark, in the project's own palette."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

LIGHT = {
    "ink": "#16202b", "soft": "#51606e", "line": "#c3ced8", "card": "#ffffff", "ground": "#f5f7f9",
    "good": "#0b7069", "good-wash": "#d6ecea", "bad": "#b92d22", "bad-wash": "#fbe3df",
}  # fmt: skip
DARK = {
    "ink": "#e8edf2", "soft": "#a3b3c1", "line": "#3a4a59", "card": "#141d26", "ground": "#0d141b",
    "good": "#45c6b9", "good-wash": "#173a37", "bad": "#ff8b7d", "bad-wash": "#44211d",
}  # fmt: skip
RULES = """\
svg.drawing text { fill: var(--d-ink); font: 14px Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; }
svg.drawing .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 13px; }
svg.drawing .small { font-size: 12px; }
svg.drawing .strong { font-weight: 650; }
svg.drawing text.soft { fill: var(--d-soft); }
svg.drawing text.bad { fill: var(--d-bad); }
svg.drawing text.good { fill: var(--d-good); }
svg.drawing .frame { fill: var(--d-ground); stroke: none; }
svg.drawing .box { fill: var(--d-card); stroke: var(--d-line); }
svg.drawing .box.bad { fill: var(--d-bad-wash); stroke: var(--d-bad); }
svg.drawing .box.good { fill: var(--d-good-wash); stroke: var(--d-good); }
svg.drawing .box.wait { fill: var(--d-ground); stroke: var(--d-bad); stroke-dasharray: 4 3; }
svg.drawing .way { fill: none; stroke: var(--d-soft); stroke-width: 1.5; }
svg.drawing .way.bad { stroke: var(--d-bad); }
svg.drawing .way.good { stroke: var(--d-good); }
svg.drawing .thin { stroke: var(--d-line); stroke-width: 1; }
svg.drawing .tip { fill: var(--d-soft); }
svg.drawing .tip.bad { fill: var(--d-bad); }
svg.drawing .tip.good { fill: var(--d-good); }
svg.drawing a:hover text, svg.drawing a:focus text { text-decoration: underline; }
"""


def variables(palette: dict[str, str]) -> str:
    """The palette as CSS declarations."""
    return " ".join(f"--d-{name}: {color};" for name, color in palette.items())


def style_sheet() -> str:
    """The rules for drawings that stand in a page of the site, which has a switch between light and dark."""
    return (
        "/* Written by tools/diagrams.py. */\n"
        f"svg.drawing {{ {variables(LIGHT)} }}\n"
        f'[data-md-color-scheme="slate"] svg.drawing {{ {variables(DARK)} }}\n{RULES}'
    )


def style_of_its_own() -> str:
    """The same for a drawing that is looked at by itself, after the system's choice."""
    dark = f"@media (prefers-color-scheme: dark) {{ svg.drawing {{ {variables(DARK)} }} }}"
    return f"<style>\nsvg.drawing {{ {variables(LIGHT)} }}\n{dark}\n{RULES}</style>"


class Drawing:
    """Shapes and words, from the upper left corner, in pixels."""

    def __init__(self, title: str, width: int, height: int, *, has_links: bool = False) -> None:
        self.width = width
        self._title = title
        self._height = height
        self._role = "group" if has_links else "img"  # an image hides its links from who can't see it
        self._parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, kind: str = "") -> None:
        """A rounded box; `kind` is "", "good", "bad" or "wait"."""
        self._parts.append(
            f'<rect class="{("box " + kind).strip()}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'
        )

    def words(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start", link: str = "") -> None:
        """A line of text on the base line `y`; `kind` are classes of the style."""
        attributes = f' class="{kind}"' if kind else ""
        attributes += f' text-anchor="{anchor}"' if anchor != "start" else ""
        drawn = f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(text, quote=False)}</text>'
        self._parts.append(f'<a href="{escape(link)}">{drawn}</a>' if link else drawn)

    def line(self, x: float, y: float, to_x: float, to_y: float, kind: str = "thin") -> None:
        """A plain line."""
        self._parts.append(f'<path class="way {kind}" d="M{x:g} {y:g}L{to_x:g} {to_y:g}"/>')

    def arrow(self, *points: tuple[float, float], kind: str = "") -> None:
        """A line through `points` with a tip at the last one."""
        way = "L".join(f"{x:g} {y:g}" for x, y in points)
        (from_x, from_y), (x, y) = points[-2:]
        length = ((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5
        along_x, along_y = (x - from_x) / length, (y - from_y) / length
        left = (x - 8 * along_x - 4 * along_y, y - 8 * along_y + 4 * along_x)
        right = (x - 8 * along_x + 4 * along_y, y - 8 * along_y - 4 * along_x)
        tip = f"M{x:g} {y:g}L{left[0]:.1f} {left[1]:.1f}L{right[0]:.1f} {right[1]:.1f}Z"
        self._parts.append(f'<path class="{("way " + kind).strip()}" d="M{way}"/>')
        self._parts.append(f'<path class="{("tip " + kind).strip()}" d="{tip}"/>')

    def curve(self, points: Sequence[tuple[float, float]], kind: str = "") -> None:
        """A line through `points`, straight from each to the next."""
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._parts.append(f'<path class="{("way " + kind).strip()}" d="M{way}"/>')

    def svg(self) -> str:
        """The file."""
        title = escape(self._title)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="{self._role}" aria-label="{title}" '
            f'width="{self.width}" height="{self._height}" viewBox="0 0 {self.width} {self._height}">\n'
            f"{style_of_its_own()}\n"
            f'<rect class="frame" width="{self.width}" height="{self._height}" rx="10"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )


Bar = tuple[float, float, str, str]
"""From, to (0 to 1 of the time shown), kind and words."""


def timeline(title: str, lanes: list[tuple[str, list[Bar]]], notes: list[tuple[str, str]]) -> Drawing:
    """What several did over time, a lane each, and notes (words, kind) below."""
    left, width, height = 150, 680, 44
    drawing = Drawing(title, width, 34 + height * len(lanes) + 24 * len(notes) + (12 if notes else 0))
    span = width - left - 24
    for number, (label, bars) in enumerate(lanes):
        top = 16 + height * number
        drawing.words(left - 16, top + 21, label, "strong", "end")
        drawing.line(left, top + 16, left + span, top + 16)
        for start, end, kind, text in bars:
            drawing.box(left + span * start, top + 2, span * (end - start) - 2, 28, kind)
            drawing.words(left + span * (start + end) / 2 - 1, top + 21, text, "small", "middle")
    bottom = 16 + height * len(lanes)
    drawing.arrow((left, bottom + 2), (left + span, bottom + 2))
    for number, (text, kind) in enumerate(notes):
        drawing.words(left, bottom + 30 + 24 * number, text, kind)
    return drawing
