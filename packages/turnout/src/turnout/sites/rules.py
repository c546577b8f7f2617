"""What a site may be called, and which time zones there are. Pure."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from turnout.errors import BadInput

LONGEST = 253
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def check_domain(domain: str) -> str:
    """The domain as it is kept: lower case, ASCII (IDNA), without a trailing dot. Raises `BadInput`."""
    expected = "expected a host such as example.org, without https:// and without a path"
    text = domain.strip().lower().rstrip(".")
    if len(text) > LONGEST:  # before it is encoded, which takes long for long texts
        raise BadInput("domain", expected)
    try:
        ascii_text = text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        raise BadInput("domain", expected) from None
    if len(ascii_text) > LONGEST or not _DOMAIN.fullmatch(ascii_text):
        raise BadInput("domain", expected)
    return ascii_text


@cache
def _timezones() -> frozenset[str]:
    """Read once: finding them reads some six hundred files."""
    return frozenset(available_timezones())


def check_timezone(timezone: str) -> str:
    """The time zone's name itself. Raises `BadInput`."""
    name = timezone.strip()
    if name not in _timezones():
        raise BadInput("timezone", f"expected an IANA name such as Europe/Berlin, got {name[:64]!r}")
    return name
