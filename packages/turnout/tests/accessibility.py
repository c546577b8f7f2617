"""What keeps people out of a page, as axe-core finds it: rules of WCAG 2.2, levels A and AA."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).parents[3] / "tests" / "axe"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]


def axe_finds_nothing(page: Page) -> None:
    """Fails with what axe finds in the page as it is now."""
    page.evaluate(_axe())  # not as an element, which the pages' policy forbids
    found = page.evaluate(
        "tags => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })", TAGS
    )
    assert found["passes"], "axe has looked at nothing"
    words = [_words(violation) for violation in found["violations"]]
    assert not words, "\n".join(words)


def _words(violation: dict[str, Any]) -> str:
    places = "; ".join(f"{node['target']} {node['failureSummary']}" for node in violation["nodes"])
    return f"{violation['id']}: {violation['help']}: {places}"


@cache
def _axe() -> str:
    """The source of axe, installed as its lock says."""
    source = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        ran = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, timeout=180)
        assert ran.returncode == 0, ran.stderr.decode()
    return source.read_text(encoding="utf-8")
