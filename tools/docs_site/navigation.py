"""The site's navigation, read from the README.md of each folder of docs/: what a reader of the checkout follows.

A page is where the first README that links to it puts it, in that order; `## headings` of a README become groups. A page
that no README links to is a warning, and so an error of `mkdocs build --strict` and of tests/docs.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

LOG = logging.getLogger("mkdocs.hooks.navigation")
LINE = re.compile(r"^## (?P<group>.+)$|\[(?P<text>[^]]+)]\((?P<link>[^)#:\s]+\.md)\)", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by MkDocs."""
    docs = Path(config.docs_dir)
    config.nav = navigation(docs)
    for page in unlisted(docs):
        LOG.warning("docs/%s is not linked to from the README.md of its folder", page)
    return config


def navigation(docs: Path) -> list[Any]:
    """Home, and a section for each folder whose README the first page links to, under the text of that link."""
    home = docs / "README.md"
    sections = [(text, target) for _, text, target in _links(home) if target.name == "README.md"]
    return [{"Home": "README.md"}, *({text: _section(docs, target)} for text, target in sections)]


def unlisted(docs: Path) -> list[str]:
    """The pages that the navigation lacks."""
    listed = set(_pages(navigation(docs)))
    return sorted({str(page.relative_to(docs)) for page in docs.rglob("*.md")} - listed)


def _section(docs: Path, index: Path) -> list[Any]:
    entries: list[Any] = [str(index.relative_to(docs))]
    groups: dict[str, list[Any]] = {}
    seen = {index}
    for group, text, target in _links(index):
        if target in seen or not target.is_relative_to(index.parent) or not target.is_file():
            continue
        seen.add(target)
        is_folder = target.name == "README.md"
        entry = {text: _section(docs, target)} if is_folder else str(target.relative_to(docs))
        if not group:
            entries.append(entry)
        elif group in groups:
            groups[group].append(entry)
        else:
            groups[group] = [entry]
            entries.append({group: groups[group]})
    return entries


def _links(index: Path) -> list[tuple[str, str, Path]]:
    found, group = [], ""
    for line in LINE.finditer(index.read_text(encoding="utf-8")):
        if line["group"]:
            group = line["group"]
        else:
            found.append((group, line["text"], (index.parent / line["link"]).resolve()))
    return found


def _pages(entries: list[Any]) -> list[str]:
    pages: list[str] = []
    for entry in entries:
        if isinstance(entry, str):
            pages.append(entry)
        else:
            for below in entry.values():
                pages.extend(_pages(below) if isinstance(below, list) else [below])
    return pages
