"""Draw the outlines of Turnout's world map from Natural Earth's countries, as npm's `world-atlas` packs them.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz && mv package atlas
    npm pack i18n-iso-countries@7 && tar xzf i18n-iso-countries-7*.tgz && mv package iso
    uv run python tools/world_map.py atlas/countries-110m.json atlas/countries-50m.json iso/codes.json \\
        packages/turnout/src/turnout/web/static/world.svg

One shape a country, its id the ISO 3166 code: an outline (scale 1 : 110 million), or a dot where that is too small to
click or missing (its place from 1 : 50 million). The projection is Equal Earth (Šavrič, Patterson, Jenny 2018). Borders
are simplified once each, so that neighbours still meet (Visvalingam and Whyatt 1993).
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from turnout.model.countries import NAMES

Point = tuple[float, float]
Ring = list[int]
"""Numbers of arcs; ~n is arc n the other way round."""

WIDTH = 1000.0
NORTH, SOUTH = 84.5, -57.0
MIDDLE, CUT = 11.0, -168.4
"""The longitude in the middle, and that of the edge: it goes through Bering Strait, and no land but the Antarctic."""
LEAST_AREA = 1.1
"""A corner whose triangle with its neighbours is smaller than this, in square units, is left out."""
LEAST_ISLAND = 1.5
CLICKABLE = 11.0
"""A country with less area than this, in square units, is a dot; where it has an outline, that only belongs to the land."""
DOT_RADIUS = 4
LEFT_OUT = {"AQ"}
PLACES = {
    "BQ": (-68.3, 12.2),
    "CC": (96.8, -12.2),
    "CX": (105.7, -10.5),
    "GF": (-53.0, 4.0),
    "GI": (-5.35, 36.1),
    "GP": (-61.5, 16.2),
    "MQ": (-61.0, 14.6),
    "RE": (55.5, -21.1),
    "SJ": (16.0, 78.5),
    "TK": (-171.8, -9.2),
    "TV": (179.2, -8.5),
    "YT": (45.2, -12.8),
}
"""Longitude and latitude of what Natural Earth counts to another country."""
WITHOUT_CODE = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO"}


def main(outlines: str, finer: str, codes: str, out: str) -> None:
    """Write the drawing."""
    by_number = {number: alpha2 for alpha2, _, number, *_ in json.loads(Path(codes).read_text())}
    rough = Atlas(json.loads(Path(outlines).read_text()), by_number, is_simplified=True)
    fine = Atlas(json.loads(Path(finer).read_text()), by_number)
    paths, dots = [], []
    for code in sorted((rough.rings.keys() | fine.rings.keys() | PLACES.keys()) & NAMES.keys() - LEFT_OUT):
        is_outline = rough.area(code) >= CLICKABLE
        identity = f' id="{code}"' if is_outline else ""
        if code in rough.rings:
            paths.append(f'<path{identity} d="{rough.path(code)}"/>')
        if not is_outline:
            x, y = project(*PLACES[code]) if code in PLACES else fine.middle(code)
            dots.append(f'<circle id="{code}" cx="{x:.0f}" cy="{y:.0f}" r="{DOT_RADIUS}"/>')
    top, bottom = project(0, NORTH)[1], project(0, SOUTH)[1]
    Path(out).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {top:.0f} {WIDTH:.0f} {bottom - top:.0f}">'
        "<!-- Made by tools/world_map.py from Natural Earth (public domain). -->\n"
        '<g id="land">\n' + "\n".join(paths) + '\n</g>\n<g id="dots">\n' + "\n".join(dots) + "\n</g>\n</svg>\n"
    )
    print(f"{len(paths)} outlines, {len(dots)} dots, {Path(out).stat().st_size:,} bytes")


class Atlas:
    """The countries of one TopoJSON file, projected. `is_simplified`: so are their borders."""

    def __init__(self, topology: dict[str, Any], by_number: dict[str, str], *, is_simplified: bool = False) -> None:
        scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
        self._arcs = [decoded(arc, scale, shift) for arc in topology["arcs"]]
        if is_simplified:
            self._arcs = [simplified(arc) for arc in self._arcs]
        self.rings: dict[str, list[Ring]] = {}
        for country in topology["objects"]["countries"]["geometries"]:
            number = country.get("id", "")
            code = by_number.get(number) or WITHOUT_CODE.get(country["properties"]["name"])
            polygons = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
            if code:
                self.rings.setdefault(code, []).extend(ring for polygon in polygons for ring in polygon)

    def area(self, code: str) -> float:
        """Of the largest piece, in square units; 0 where there is none."""
        return max((abs(area(self._corners(ring))) for ring in self.rings.get(code, ())), default=0.0)

    def middle(self, code: str) -> Point:
        """Of the largest piece."""
        corners = self._corners(max(self.rings[code], key=lambda ring: abs(area(self._corners(ring)))))
        return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)

    def path(self, code: str) -> str:
        """All pieces, small islands left out, as relative steps of tenths of a unit."""
        rings = [self._corners(ring) for ring in self.rings[code]]
        largest = max(rings, key=lambda corners: abs(area(corners)))
        return "".join(written(ring) for ring in rings if ring is largest or abs(area(ring)) >= LEAST_ISLAND)

    def _corners(self, ring: Ring) -> list[Point]:
        corners: list[Point] = []
        for number in ring:
            arc = self._arcs[number] if number >= 0 else self._arcs[~number][::-1]
            corners += arc[1:]
        return corners


def decoded(arc: list[list[int]], scale: Point, shift: Point) -> list[Point]:
    """The corners of an arc, which the file holds as whole steps."""
    corners, x, y = [], 0, 0
    for dx, dy in arc:
        x, y = x + dx, y + dy
        corners.append(project(x * scale[0] + shift[0], y * scale[1] + shift[1]))
    return corners


def project(longitude: float, latitude: float) -> Point:
    """Equal Earth, scaled to `WIDTH`, y downwards."""
    a1, a2, a3, a4, root = 1.340264, -0.081106, 0.000893, 0.003796, math.sqrt(3) / 2
    at = math.asin(root * math.sin(math.radians(latitude)))
    east = math.radians((longitude - CUT) % 360 + CUT - MIDDLE)
    x = east * math.cos(at) / (root * (a1 + 3 * a2 * at**2 + at**6 * (7 * a3 + 9 * a4 * at**2)))
    y = at * (a1 + a2 * at**2 + at**6 * (a3 + a4 * at**2))
    unit = WIDTH / (2 * math.pi / (root * a1))
    return WIDTH / 2 + x * unit, WIDTH / 4 - y * unit


def simplified(corners: list[Point]) -> list[Point]:
    """Without the corners that show least, both ends kept; at least a triangle where it is a ring by itself."""
    kept = list(corners)
    least = 4 if corners[0] == corners[-1] else 2
    while len(kept) > least:
        sizes = [triangle(*kept[at - 1 : at + 2]) for at in range(1, len(kept) - 1)]
        smallest = min(range(len(sizes)), key=sizes.__getitem__)
        if sizes[smallest] >= LEAST_AREA:
            break
        del kept[smallest + 1]
    return kept


def triangle(a: Point, b: Point, c: Point) -> float:
    """Its area."""
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def area(ring: list[Point]) -> float:
    """Of a polygon; its sign tells the direction."""
    return sum(ring[at - 1][0] * ring[at][1] - ring[at][0] * ring[at - 1][1] for at in range(len(ring))) / 2


def written(ring: list[Point]) -> str:
    """A closed path of relative steps, in tenths of a unit, without the zeros and separators that SVG can do without."""
    steps: list[tuple[int, int]] = []
    before = (0, 0)
    for x, y in ring:
        here = (round(x * 10), round(y * 10))
        if here != before or not steps:
            steps.append((here[0] - before[0], here[1] - before[1]))
        before = here
    numbers = [(short(dx), short(dy)) for dx, dy in steps]
    start, rest = numbers[0], "".join(joined(value) for step in numbers[1:] for value in step)
    return f"M{start[0]}{joined(start[1])}l{rest.strip()}z"


def short(tenths: int) -> str:
    """A number of tenths: `12`, `.5`, `-3.4`."""
    text = f"{tenths / 10:.1f}".removesuffix(".0")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def joined(text: str) -> str:
    """The number with the separator it needs after another."""
    return text if text.startswith("-") else f" {text}"


if __name__ == "__main__":
    main(*sys.argv[1:])
