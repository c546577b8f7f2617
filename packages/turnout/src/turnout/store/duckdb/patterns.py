"""Regular expressions as DuckDB's own engine (RE2) sees them, so that a bad one is found before a query runs."""

from __future__ import annotations

from functools import lru_cache

import duckdb


@lru_cache(maxsize=1024)
def pattern_problem(pattern: str) -> str | None:
    """What is wrong with `pattern`, in RE2's words, or None where `regexp_matches` can use it.

    Asks an empty in-memory engine, well under a millisecond for a pattern; nothing is read or written. Any thread.
    """
    with _engine().cursor() as cursor:
        try:
            cursor.execute("SELECT regexp_matches('', $1)", [pattern]).fetchall()
        except duckdb.Error as error:
            return str(error).removeprefix("Invalid Input Error: ").partition("\n")[0] or "not understood"
    return None


@lru_cache(maxsize=1)
def _engine() -> duckdb.DuckDBPyConnection:
    # Made once: opening an engine takes 10 ms, and a query may bring many patterns.
    return duckdb.connect(":memory:", config={"threads": 1})
