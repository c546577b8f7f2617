"""The drawings are those that tools/ draws, and the decision chart says what its table says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs/patterns/which-primitive.md"
PROGRAM = """
import sys; sys.path.insert(0, "tools")
import diagrams
for path, text in diagrams.files().items():
    assert open(path, encoding="utf-8").read() == text, f"{path}: run tools/diagrams.py"
from primitive_chart import CHART
for group, leaves in CHART.items():
    for leaf in leaves:
        print(group, leaf.when, leaf.use, sep="|")
"""


def drawn() -> list[list[str]]:
    """Compares the files; the chart as lines of (what is shared, when, what to use)."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return [line.split("|") for line in ran.stdout.splitlines()]


def test_the_drawings_are_what_the_tool_draws_and_the_chart_says_what_its_table_says() -> None:
    rows = re.findall(r"^\| (.*?) ?\| (.+?) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)[2:]
    table, group = [], ""
    for shared, when, use in rows:
        group = shared.strip() or group
        table.append([group, when, use.split(": [")[0].strip("`")])
    assert table == drawn()


def test_every_drawing_is_shown_by_a_page() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (REPOSITORY / "docs").rglob("*.md"))
    drawings = (REPOSITORY / "docs/images/patterns").glob("*.svg")
    assert [drawing.name for drawing in drawings if f"images/patterns/{drawing.name})" not in pages] == []
