"""Every page of the handbook keeps to one shape, and names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TESTS = REPOSITORY / "packages/seawall/tests/patterns"
CHARTS = {"README.md", "which-primitive.md"}
PAGES = sorted(page for page in (REPOSITORY / "docs/patterns").glob("*.md") if page.name not in CHARTS)
HEADINGS = ["The trap", "Why it bites", "The fix", "The test that shows both"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_the_trap_why_it_bites_the_fix_and_the_test_in_this_order(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [h for h in re.findall(r"^## (.+)$", text, re.MULTILINE) if h in HEADINGS] == HEADINGS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_to_its_test_and_says_how_to_run_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = re.findall(r"\]\((\.\./\.\./\S+/test_\w+\.py)\)", text)
    assert linked
    assert all((page.parent / link).is_file() for link in linked)
    assert any(f"uv run pytest {link.removeprefix('../../')}" in text for link in linked)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_test_of_a_page_has_the_trap_biting_and_the_fix_holding(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    code = "".join(
        (page.parent / link).read_text(encoding="utf-8")
        for link in re.findall(r"\]\((\.\./\.\./\S+/test_\w+\.py)\)", text)
    )
    assert re.search(r"def test_trap_", code)
    assert re.search(r"def test_(trap_and_)?fix_", code)


def test_every_test_of_a_pattern_belongs_to_a_page() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [test.name for test in TESTS.glob("test_*.py") if f"/{test.name})" not in pages] == []
