from __future__ import annotations

import gzip
from pathlib import Path

import turnout.web

BUILT = Path(turnout.web.__file__).parent / "static" / "script.js"
CORE_LIMIT_BYTES = 900


def test_the_tracker_is_at_most_900_bytes_gzipped() -> None:
    assert len(gzip.compress(BUILT.read_bytes(), compresslevel=9, mtime=0)) <= CORE_LIMIT_BYTES


def test_the_tracker_keeps_nothing_in_the_browser() -> None:
    built = BUILT.read_text()
    for storage in ("cookie", "localStorage", "sessionStorage", "indexedDB"):
        assert storage not in built
