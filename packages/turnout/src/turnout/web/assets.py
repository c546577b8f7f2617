"""Addresses of static files that change with their content, so that browsers may keep each for ever."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@cache
def asset(name: str) -> str:
    """The address of a file below `static/`. Raises FileNotFoundError for one that is not there."""
    version = blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={version}"
