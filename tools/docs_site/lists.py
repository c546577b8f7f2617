"""Lists that begin without an empty line before them: CommonMark, and so a checkout, has them; MkDocs' Markdown does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ITEM = re.compile(r"(?:[-*+]|1\.) ")
FENCE = re.compile(r" *(`{3,})")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Called by MkDocs."""
    return parted(markdown)


def parted(markdown: str) -> str:
    """`markdown` with an empty line before each list that follows a paragraph or a block of code."""
    lines: list[str] = []
    fence, in_list = "", False
    for line in markdown.split("\n"):
        mark = FENCE.match(line)
        if fence:
            fence = "" if mark and line.strip() == fence else fence
        elif ITEM.match(line):
            if lines and lines[-1] and not in_list:
                lines.append("")
            in_list = True
        else:
            if line and not line.startswith(" ") and (mark or line.startswith("#") or not lines or not lines[-1]):
                in_list = False
            if mark:
                fence = mark[1]
        lines.append(line)
    return "\n".join(lines)
