"""Fails the build where a page would request anything from another server: the site must work without a network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

REQUESTS = (
    re.compile(
        r"""<(?:script|img|iframe|source|video|audio|embed|input)\b[^>]*?\ssrc=["']?((?:https?:)?//[^"'\s>]+)"""
    ),
    re.compile(r"""<(?:link|image|use)\b(?![^>]*rel=["']?canonical)[^>]*?\shref=["']?((?:https?:)?//[^"'\s>]+)"""),
    re.compile(r"""(?:@import\s+["']?|url\(["']?)((?:https?:)?//[^"')\s]+)"""),
    re.compile(r"""(class="mermaid")"""),  # the theme would fetch what draws these
)


def on_post_build(config: MkDocsConfig) -> None:
    """Called by MkDocs."""
    from mkdocs.exceptions import PluginError

    found = {
        f"{path.relative_to(config.site_dir)}: {address}"
        for path in Path(config.site_dir).rglob("*")
        if path.suffix in {".html", ".css"}
        for address in requested(path.read_text(encoding="utf-8"))
    }
    if found:
        raise PluginError("pages request something from outside:\n" + "\n".join(sorted(found)))


def requested(text: str) -> list[str]:
    """The addresses on other servers that a page or style sheet has a browser request. Links to follow are none."""
    return [address for pattern in REQUESTS for address in pattern.findall(text)]
