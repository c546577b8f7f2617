"""The site's wall clock at an instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

QUARTER_MS = 15 * 60 * 1000
"""Every change of a zone's offset since 1972 falls on a quarter of an hour of UTC."""

_EPOCH = date(1970, 1, 1)
_DAY_MS = 24 * 3600 * 1000


def local_ms(timezone: str, at_ms: int) -> int:
    """The wall clock of an IANA zone at a UTC instant, in milliseconds read as if it were UTC."""
    return at_ms + _offset_ms(timezone, at_ms // QUARTER_MS)


def local_date(ms: int) -> date:
    """The calendar date of a wall clock as `local_ms` gives it."""
    return _EPOCH + timedelta(days=ms // _DAY_MS)


@lru_cache(4_096)
def _offset_ms(timezone: str, quarter: int) -> int:
    at = datetime.fromtimestamp(quarter * QUARTER_MS / 1000, UTC).astimezone(ZoneInfo(timezone))
    offset = at.utcoffset()
    assert offset is not None
    return round(offset.total_seconds() * 1000)
