"""For the lab alone: a server with one of its protections taken away, to show what that one is for.

`turnout serve --lab-without NAME` is refused unless `TURNOUT_LAB=1` is set, since such a server falls under a crowd. What
is acknowledged is as durable as ever: no protection of data can be taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from turnout.errors import SettingsInvalid

Protection = Literal["locks", "pool", "gate", "sharing"]
"""*locks*: writers to SQLite no longer take turns, and begin without the right to write, as SQLite does by itself.
*pool*: a thread for whoever comes, up to `THREADS`, for queries, password checks and accounts.
*gate*: everybody is let in at once, and nobody is told to come back.
*sharing*: equal questions are each asked of the store, equal pages come in by themselves, and no answer is kept."""

PROTECTIONS: tuple[Protection, ...] = get_args(Protection)
VARIABLE = "TURNOUT_LAB"
THREADS = 400
"""Ten times what a server of this kind usually has: step 2a of the lab's launch day."""
SEATS = 100_000
"""More than there can be connections."""


def allowed(name: str | None, environment: Mapping[str, str]) -> Protection | None:
    """The protection to leave out; None for none. Raises `SettingsInvalid` where it is none, or was not allowed."""
    if name is None:
        return None
    if name not in PROTECTIONS:
        raise SettingsInvalid(f"--lab-without: expected one of {', '.join(PROTECTIONS)}, not {name!r}")
    if environment.get(VARIABLE) != "1":
        raise SettingsInvalid(
            f"--lab-without {name} takes a protection away, so that the server falls under a crowd. It is for the lab "
            f"alone, on a data directory that may be thrown away; set {VARIABLE}=1 to allow it"
        )
    return name
