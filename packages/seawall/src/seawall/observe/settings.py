"""What is watched and what follows from it: one setting for the whole process, to be changed while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal, get_args

from seawall.errors import Misuse

Level = Literal["named", "watched", "ordered", "timed"]
"""How much locks note. Each adds to the one before: *named* holders and totals; *watched* the wait graph, so that
deadlocks are found; *ordered* the order in which locks are taken; *timed* how long each is held."""

Policy = Literal["raise", "report", "off"]
"""What to do about a finding: raise it where it is found, only count it and tell observers, or do not look for it."""

LEVEL_VARIABLE = "SEAWALL_LEVEL"
DEFAULT_LEVEL: Level = "watched"


class Settings:
    """The settings of this process. Read on every slow path, so plain attributes."""

    __slots__ = ("_followers", "level", "on_deadlock", "on_inversion")

    def __init__(self, level: Level) -> None:
        self.level: Level = level
        self.on_deadlock: Policy = "raise"
        self.on_inversion: Policy = "raise"
        self._followers: list[Callable[[Level], None]] = []

    def follow(self, follower: Callable[[Level], None]) -> None:
        """Have `follower` called with each level that is set from now on."""
        self._followers.append(follower)

    def set_level(self, level: Level) -> None:
        """Set the level and tell the followers."""
        self.level = level
        for follower in self._followers:
            follower(level)


def configure(
    *, level: Level | None = None, on_deadlock: Policy | None = None, on_inversion: Policy | None = None
) -> None:
    """Set how much locks note, and what follows from a deadlock or an inverted lock order. None leaves as it is.

    At once and for all locks of the process, also while they are held and waited for: what began before is noted as
    far as it was. `level` is *named*, *watched* (the default), *ordered* or *timed*; the environment variable
    `SEAWALL_LEVEL` sets the one to begin with. Policies are *raise* (the default), *report* and *off*. Does not block;
    from any thread or task. Raises Misuse for any other word.

    >>> configure(level="watched", on_deadlock="raise")
    """
    for policy in (on_deadlock, on_inversion):
        if policy is not None and policy not in get_args(Policy):
            raise Misuse(f"a policy is one of {', '.join(get_args(Policy))}, not {policy!r}")
    if on_deadlock is not None:
        SETTINGS.on_deadlock = on_deadlock
    if on_inversion is not None:
        SETTINGS.on_inversion = on_inversion
    if level is not None:
        SETTINGS.set_level(level_named(level))


def level_named(word: str) -> Level:
    """The level of that name. Raises Misuse where there is none."""
    for level in get_args(Level):
        if level == word:
            found: Level = level
            return found
    raise Misuse(f"a level is one of {', '.join(get_args(Level))}, not {word!r}")


SETTINGS = Settings(level_named(os.environ.get(LEVEL_VARIABLE) or DEFAULT_LEVEL))
"""The settings of this process."""
