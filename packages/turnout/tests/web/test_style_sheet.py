from __future__ import annotations

import re
from pathlib import Path

import pytest

import turnout.web

SHEETS = Path(turnout.web.__file__).parent / "static" / "css"
CSS = "\n".join(sheet.read_text() for sheet in sorted(SHEETS.glob("*.css")))
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)
)
TEXT_ON_GROUND = [
    *((text, ground) for text in ("ink", "soft", "faint", "accent", "bad") for ground in ("card", "page")),
    ("good", "card"),
    ("good", "wash"),
    ("accent", "wash"),
    ("soft", "hover"),
    ("accent", "hover"),
    ("ink", "bar"),
    ("ink", "hover"),
    ("on-accent", "accent"),
    ("page", "ink"),
]


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_stands_out_from_its_ground_as_wcag_aa_asks(scheme: dict[str, str], text: str, ground: str) -> None:
    lighter, darker = sorted((luminance(scheme[text]), luminance(scheme[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_no_style_sheet_loads_nothing_from_elsewhere() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
