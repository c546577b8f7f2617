"""The dimensions a query may name, and where each is found in an event row."""

from __future__ import annotations

import difflib
from typing import Literal

import msgspec

from turnout.model.words import DIRECT, NOT_SET

Level = Literal["event", "visit", "time"]

PROPERTY = "event:props:"
NO_PROPERTY = "(none)"
MAX_PROPERTY_LENGTH = 300


class Dimension(msgspec.Struct, frozen=True):
    """One dimension.

    `column` is a column of `events` (for `visit:exit_page` of the `exits` table that `plan.py` derives), `missing` what
    an empty value reads as (empty: it reads as it is), `property` the key of an event property.
    """

    name: str
    level: Level
    column: str
    missing: str = ""
    property: str | None = None


_TABLE = {
    dimension.name: dimension
    for dimension in (
        Dimension("event:page", "event", "page"),
        Dimension("event:name", "event", "name"),
        Dimension("event:hostname", "event", "hostname"),
        Dimension("visit:entry_page", "visit", "entry_page"),
        Dimension("visit:exit_page", "visit", "exit_page"),
        Dimension("visit:source", "visit", "source", DIRECT),
        Dimension("visit:channel", "visit", "channel", NOT_SET),
        Dimension("visit:referrer", "visit", "referrer", DIRECT),
        Dimension("visit:utm_source", "visit", "utm_source", NOT_SET),
        Dimension("visit:utm_medium", "visit", "utm_medium", NOT_SET),
        Dimension("visit:utm_campaign", "visit", "utm_campaign", NOT_SET),
        Dimension("visit:utm_content", "visit", "utm_content", NOT_SET),
        Dimension("visit:utm_term", "visit", "utm_term", NOT_SET),
        Dimension("visit:country", "visit", "country", NOT_SET),
        Dimension("visit:country_name", "visit", "country", NOT_SET),
        Dimension("visit:region", "visit", "region", NOT_SET),
        Dimension("visit:city", "visit", "city", NOT_SET),
        Dimension("visit:device", "visit", "device", NOT_SET),
        Dimension("visit:browser", "visit", "browser", NOT_SET),
        Dimension("visit:browser_version", "visit", "browser_version", NOT_SET),
        Dimension("visit:os", "visit", "os", NOT_SET),
        Dimension("visit:os_version", "visit", "os_version", NOT_SET),
        Dimension("time", "time", ""),
        Dimension("time:minute", "time", "minute"),
        Dimension("time:hour", "time", "hour"),
        Dimension("time:day", "time", "day"),
        Dimension("time:week", "time", "week"),
        Dimension("time:month", "time", "month"),
    )
}

NAMES: tuple[str, ...] = tuple(_TABLE)
"""Every dimension's name but those of properties (`event:props:NAME`)."""

UNSUPPORTED = frozenset({"event:goal", "visit:screen"})
"""Names other implementations of this API know and Turnout does not answer."""


def find(name: str) -> Dimension | None:
    """The dimension of that name, or None where there is none. `event:props:NAME` is made on demand."""
    if name.startswith(PROPERTY):
        key = name[len(PROPERTY) :]
        if 0 < len(key) <= MAX_PROPERTY_LENGTH:
            return Dimension(name, "event", "props", NO_PROPERTY, key)
        return None
    return _TABLE.get(name)


def problem_of(name: str) -> str:
    """Why `find` knows no dimension `name`, with the nearest name that it knows."""
    if name in UNSUPPORTED:
        return f"{name} is not supported"
    if name.startswith(PROPERTY):
        return f"expected event:props:NAME with a name of 1 to {MAX_PROPERTY_LENGTH} characters"
    return f"unknown dimension {shown(name)}{nearest(name, NAMES)}"


def nearest(name: str, known: tuple[str, ...]) -> str:
    """A hint to append to an error message: the known name most like `name`, or all of them where they are few."""
    close = difflib.get_close_matches(name[:100], known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; expected one of {', '.join(known)}"


def shown(text: str) -> str:
    """`text` in quotes, cut so that an error message never echoes a large input."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
