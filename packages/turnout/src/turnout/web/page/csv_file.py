"""Numbers as CSV (RFC 4180, UTF-8), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from turnout.model.query import Result
from turnout.web.page.filter_bar import value_words
from turnout.web.page.reports import Report
from turnout.web.page.state import Pairs

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula. Source: OWASP, CSV injection."""


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str | float]]) -> bytes:
    """A file of rows below their headings. Texts that a spreadsheet would compute begin with an apostrophe."""
    return write_lines([header]) + write_lines(
        [safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )


def write_lines(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as they are, without headings."""
    text = io.StringIO(newline="")
    # The module's own dialect ends lines with CRLF and doubles quotes, as RFC 4180 says.
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def safe(text: str) -> str:
    """The text, with an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def report_csv(report: Report, result: Result) -> bytes:
    """A report's rows: its values by name, then its metrics as the query API counts them (percent, seconds)."""
    names = [dimension.rpartition(":")[2] for dimension in report.dimensions]
    rows = (
        (
            *(value_words(name, value) for name, value in zip(report.dimensions, row.dimensions, strict=True)),
            *(value or 0 for value in row.metrics),
        )
        for row in result.rows
    )
    return write_csv([*(safe(name) for name in names), *report.metrics], rows)


def file_name(*parts: str, suffix: str) -> str:
    """A file's name of harmless characters alone, at most 120 of them."""
    return "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", part) for part in parts if part)[:120] + suffix


def about_rows(facts: Pairs) -> str:
    """A text that says what the files beside it are."""
    width = max(len(name) for name, _ in facts)
    return "".join(f"{name:<{width}}  {value}\r\n" for name, value in facts)
