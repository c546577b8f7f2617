"""The time zones that forms offer."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

_PLACES = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


@cache
def timezones() -> tuple[str, ...]:
    """Places and UTC, without the old aliases such as `GMT+0` and `US/Pacific`."""
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(_PLACES)))
