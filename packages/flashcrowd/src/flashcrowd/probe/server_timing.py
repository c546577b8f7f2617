"""What an answer's `Server-Timing` header says (https://www.w3.org/TR/server-timing/)."""

from __future__ import annotations

import re

_ENTRY = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)((?:[^,"]|"(?:[^"\\]|\\.)*")*)(?:,|$)""")
_DURATION = re.compile(r""";\s*dur\s*=\s*"?([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)"?\s*(?=;|$)""", re.IGNORECASE)


def parse_server_timing(header: str) -> dict[str, float]:
    """Seconds by name, from a header's value. Names without a duration, and what can't be read, are left out.

    A name that is there twice is added up. Does not raise.

    >>> parse_server_timing('db;desc="a, b";dur=12.5, cache;desc=hit, app;dur=40')
    {'db': 0.0125, 'app': 0.04}
    """
    found: dict[str, float] = {}
    for entry in _ENTRY.finditer(header):
        duration = _DURATION.search(entry[2])
        if duration is not None:
            found[entry[1]] = found.get(entry[1], 0.0) + float(duration[1]) / 1000
    return found
