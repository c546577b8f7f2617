"""Puts the drawings (SVG) into the pages themselves, so that their text can be selected and their links work.

In a checkout they are pictures with a style of their own; on the site the style is theme/assets/diagrams.css, which
follows the switch between light and dark.
"""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

IMAGE = re.compile(r'<p><img alt="(?P<alt>[^"]*)" src="(?P<src>[^":]+\.svg)"\s*/?></p>')
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
HREF = re.compile(r'href="(?P<link>[^":#]+)"')


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Called by MkDocs."""

    def drawn(image: re.Match[str]) -> str:
        uri = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), _source_of(image["src"], page)))
        svg = STYLE.sub("", (Path(config.docs_dir) / uri).read_text(encoding="utf-8"))

        def linked(link: re.Match[str]) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(uri), link["link"]))
            file = files.get_file_from_path(target)
            if file is None:
                raise ValueError(f"{uri} links to {target}, which is not there")
            return f'href="{html.escape(file.url_relative_to(page.file))}"'

        return f'<figure class="drawing">{HREF.sub(linked, svg)}</figure>'

    return IMAGE.sub(drawn, content)


def _source_of(src: str, page: Page) -> str:
    return posixpath.relpath(
        posixpath.normpath(posixpath.join(posixpath.dirname(page.url), src)),
        posixpath.dirname(page.file.src_uri) or ".",
    )
