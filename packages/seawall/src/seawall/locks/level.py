"""How a lock changes its level: each level is a sibling class with the same slots, and `__class__` is set.

So a level that is off costs nothing at all: there is no flag to look at on the way in. A method that is under way when
the class changes ends as it began; the ones after it find what the old class has noted, or miss what it has not, and
cope with both.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar

from seawall.observe.registry import REGISTRY
from seawall.observe.settings import SETTINGS, Level

L = TypeVar("L", bound="type[Levelled]")


class Levelled:
    """A lock that has sibling classes. A subclass made elsewhere keeps its class, and so stays at *named*."""

    __slots__ = ()

    name: str
    siblings: ClassVar[dict[Level, type[Any]]]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Raises TypeError: a copy would share the line and not the holder."""
        raise TypeError(f"cannot copy or pickle the {type(self).__name__} {self.name!r}")

    def _take_level(self, level: Level) -> None:
        if type(self) in self.siblings.values():
            if level == "timed":
                self._forget_times()
            self.__class__ = self.siblings[level]

    def _forget_times(self) -> None:
        """Drop what an earlier stay at *timed* noted of who was inside: whoever is inside now came in later."""

    def _take_present_level(self) -> None:
        """For the end of `__init__`, once registered: a level set meanwhile is taken by its follower, or else here."""
        while True:
            level = SETTINGS.level
            self._take_level(level)
            if level == SETTINGS.level:
                return


def follow_level(level: Level) -> None:
    """Have every lock of the process take `level`."""
    for resource in REGISTRY.living():
        if isinstance(resource, Levelled):
            resource._take_level(level)


SETTINGS.follow(follow_level)
