"""Links the public names of Seawall, where a page speaks of them in `code`, to the reference: the first time on each page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import seawall
import seawall.testing

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PUBLIC = {name: f"seawall.{name}" for name in seawall.__all__} | {
    name: f"seawall.testing.{name}" for name in seawall.testing.__all__
}
NOT_PROSE = re.compile(r"^ *(```+).*?^ *\1|^#.*?$|^:::.*?$|!?\[[^]]*]\([^)]*\)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`(\w+)`")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Called by MkDocs."""
    return markdown if page.file.src_uri.startswith("source/") else linked(markdown)


def linked(markdown: str) -> str:
    """`markdown` with the first mention of each name as a link, code blocks, headings and links left as they are."""
    told: set[str] = set()

    def link(match: re.Match[str]) -> str:
        name = match[1]
        if name not in PUBLIC or name in told:
            return match[0]
        told.add(name)
        return f"[`{name}`][{PUBLIC[name]}]"

    parts, end = [], 0
    for block in NOT_PROSE.finditer(markdown):
        parts += [NAME.sub(link, markdown[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*parts, NAME.sub(link, markdown[end:])])
