"""A waiting room before a gate: who finds the short queue full keeps a place by a ticket, and goes in in turn."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from seawall.admission.room_desk import Desk
from seawall.admission.room_look import Look
from seawall.clock import SYSTEM_CLOCK, Clock
from seawall.core.room_statistics import RoomStatistics
from seawall.core.room_ticket import Signer
from seawall.errors import Misuse

STAY_S = 900.0
"""How long whoever is in may go on: a quarter of an hour is enough for a purchase or a form."""

AWAY_S = 600.0
"""How long whoever waits may be away: a lift, a tunnel, a browser that puts hidden pages to sleep."""


class WaitingRoom:
    """Where people wait when a gate's short queue is full, in the order in which they came, without holding a connection.

    For `seawall.asgi.admission(..., room=WaitingRoom(["pages"], key=key))`, and for HTTP only. The room of a workload
    opens by itself when its gate refuses somebody as *full*, *wait* or *late*, and closes when nobody is before a
    newcomer any more. While it is open, whoever comes draws a number: first come, first served among those who look in. What
    flows out is the gate's spare capacity: its free seats, and its departures a second less what those inside ask for.

    Nothing is kept of those who wait but counters. Each has a signed ticket, in a cookie and, for clients that do not ask for
    text/html, in the header `waiting-ticket`; it is good for `away_s` seconds after each look. Who is let in has a pass for
    `stay_s` seconds and is not sent to the line again meanwhile: what was begun can be finished. A page looks in by itself,
    with or without scripts. A ticket that is forged, expired or for something else is told so, and gets the last place.

    `key` is 16 random bytes or more, or several, of which the first signs and all are taken. With the same key places outlive
    a restart. Keep it like a password. Several servers behind one address need a line each: let the balancer
    send one visitor to one of them. Raises Misuse for a short key or where no workload is named. Never blocks.

    >>> room = WaitingRoom(["pages"], key=b"sixteen bytes or more, and secret")
    >>> room.statistics("pages").is_open
    False
    """

    def __init__(
        self,
        workloads: Collection[str],
        *,
        key: bytes | Sequence[bytes],
        look: Look | None = None,
        stay_s: float = STAY_S,
        away_s: float = AWAY_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if isinstance(workloads, str) or not workloads:
            raise Misuse("a waiting room needs the names of its workloads, as a list")
        keys = [key] if isinstance(key, bytes) else list(key)
        started = int(clock.time() * 1000)
        self._desks = {
            name: Desk(name, Signer(keys, name), look or Look(), started, stay_s, away_s, clock) for name in workloads
        }

    @property
    def workloads(self) -> tuple[str, ...]:
        """Those who have a room here."""
        return tuple(self._desks)

    def statistics(self, workload: str) -> RoomStatistics:
        """How the room of one workload stands. Does not block."""
        return self._desks[workload].statistics()

    def _desk(self, workload: str) -> Desk | None:
        return self._desks.get(workload)
