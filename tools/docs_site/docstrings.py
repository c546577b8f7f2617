"""Makes Markdown of Seawall's docstrings: examples become code blocks, and the names of public things links to them."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

EXAMPLE = re.compile(r"(?:^>>> .*\n?(?:^(?!$).*\n?)*(?:\n(?=>>> ))?)+", re.MULTILINE)
INDENTED = re.compile(r"(?:^    .*\n?|^\n(?=    ))+", re.MULTILINE)
NAME = re.compile(
    r"`(?P<name>\w+)`|\b(?P<error>DeadlineExceeded|Deadlock|LockOrderViolation|Misuse|Overloaded|Closed)\b"
)
POINTER = re.compile(r"See `[\w.]+`\.")
PLUMBING = re.compile(r"^(?:Generic\b|Levelled$)")  # bases that say nothing to a reader


class Docstrings(griffe.Extension):
    """Loaded by mkdocstrings."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called by griffe once a package is loaded."""
        public = {name: f"seawall.{name}" for name in _exports(pkg)}
        if "testing" in pkg.modules:
            public |= {name: f"seawall.testing.{name}" for name in _exports(pkg.modules["testing"])}
        _visit(pkg, public)


def markdown_of(docstring: str, public: dict[str, str], own: str = "") -> str:
    """The docstring as Markdown, with links to the `public` names but for its `own`."""

    def linked(match: re.Match[str]) -> str:
        name = match["name"] or match["error"]
        return f"[`{name}`][{public[name]}]" if name in public and name != own else match[0]

    parts, end = [], 0
    for block in re.finditer(f"{EXAMPLE.pattern}|{INDENTED.pattern}", docstring, re.MULTILINE):
        parts.append(NAME.sub(linked, docstring[end : block.start()]))
        language = "pycon" if block[0].startswith(">>>") else "python"
        parts.append(f"\n```{language}\n{textwrap.dedent(block[0]).strip()}\n```\n")
        end = block.end()
    parts.append(NAME.sub(linked, docstring[end:]))
    return "".join(parts)


def _exports(module: griffe.Module) -> list[str]:
    return [str(name) for name in module.exports or []]


def _visit(thing: griffe.Object | griffe.Alias, public: dict[str, str]) -> None:
    if thing.is_alias:
        return
    if isinstance(thing, griffe.Class):
        thing.bases = [base for base in thing.bases if not PLUMBING.match(str(base))]
    if thing.docstring and POINTER.fullmatch(thing.docstring.value):
        thing.docstring = None  # and so is not shown: it is told where it belongs
    if thing.docstring:
        own = thing.name if thing.is_class else thing.parent.name if thing.parent is not None else ""
        thing.docstring.value = markdown_of(thing.docstring.value, public, own)
    for member in thing.members.values():
        _visit(member, public)
