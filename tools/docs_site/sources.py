"""Links from a page to a file outside docs/ (a test, a README) lead, on the site, to a page that shows that file.

In a checkout they are plain relative links. The site has no repository to point at, so what is linked comes along, as a
page under source/. A link to a folder becomes its text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

LINK = re.compile(r"(?P<text>!?\[[^]]*])\((?P<link>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".md": "markdown"}
REPOSITORY = Path(__file__).resolve().parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by MkDocs: adds a page for each file that a page links to, and for what those link to."""
    from mkdocs.structure.files import File, InclusionLevel

    todo: set[str] = set()
    for file in files.documentation_pages():
        todo |= rewritten(file.content_string, f"docs/{file.src_uri}")[1]
    done: set[str] = set()
    while todo := todo - done:
        for path in todo:
            content, linked = shown(path)
            files.append(File.generated(config, page_of(path), content=content, inclusion=InclusionLevel.NOT_IN_NAV))
            done.add(path)
            todo = todo | linked
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Called by MkDocs."""
    uri = page.file.src_uri
    return markdown if uri.startswith("source/") else rewritten(markdown, f"docs/{uri}")[0]


def shown(path: str) -> tuple[str, set[str]]:
    """The page that shows the file `path` of the repository, and the files outside docs/ that it links to."""
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return rewritten(text, path)
    name = PurePosixPath(path)
    language = LANGUAGES.get(name.suffix, "text")
    return f"---\nsearch:\n  exclude: true\n---\n# {name.name}\n`{path}`\n\n````{language}\n{text}````\n", set()


def page_of(path: str) -> str:
    """Where, under docs_dir, the page of a file of the repository is."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"source/{path}" if path.endswith(".md") else f"source/{path}.md"


def rewritten(markdown: str, path: str) -> tuple[str, set[str]]:
    """`markdown`, that of the file `path`, with links that hold on the site; and the files outside docs/ it links to."""
    linked: set[str] = set()
    here = posixpath.dirname(page_of(path))

    def replaced(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match["link"]))
        if path.startswith("docs/") and target.startswith("docs/"):
            return match[0]
        if (REPOSITORY / target).is_dir():
            return match["text"].strip("[]")
        if not (REPOSITORY / target).is_file():
            return match[0]
        if not target.startswith("docs/"):
            linked.add(target)
        return f"{match['text']}({posixpath.relpath(page_of(target), here or '.')}{match['anchor'] or ''})"

    return LINK.sub(replaced, markdown), linked
