"""The names of things that are waited for: what reports, metrics and the lock order go by."""

from __future__ import annotations

from seawall.errors import Misuse


def checked_name(name: str) -> str:
    """`name`, which is text and not empty. Raises Misuse otherwise."""
    if not isinstance(name, str) or not name:
        raise Misuse(f"a name must be text and not empty, not {name!r}: it is what reports and metrics print")
    return name
