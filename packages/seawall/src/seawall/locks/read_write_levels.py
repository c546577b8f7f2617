"""The two sides of a read-write lock at the levels above *named*."""

from __future__ import annotations

from seawall.locks.read_write import ReadSide, WriteSide
from seawall.locks.sides import OrderedSide, TimedSide, WatchedSide


class WatchedReadSide(WatchedSide, ReadSide):
    """See `WatchedSide`."""

    __slots__ = ()


class OrderedReadSide(OrderedSide, ReadSide):
    """See `OrderedSide`."""

    __slots__ = ()


class TimedReadSide(TimedSide, ReadSide):
    """See `TimedSide`."""

    __slots__ = ()


class WatchedWriteSide(WatchedSide, WriteSide):
    """See `WatchedSide`."""

    __slots__ = ()


class OrderedWriteSide(OrderedSide, WriteSide):
    """See `OrderedSide`."""

    __slots__ = ()


class TimedWriteSide(TimedSide, WriteSide):
    """See `TimedSide`."""

    __slots__ = ()


ReadSide.siblings = {
    "named": ReadSide,
    "watched": WatchedReadSide,
    "ordered": OrderedReadSide,
    "timed": TimedReadSide,
}
WriteSide.siblings = {
    "named": WriteSide,
    "watched": WatchedWriteSide,
    "ordered": OrderedWriteSide,
    "timed": TimedWriteSide,
}
