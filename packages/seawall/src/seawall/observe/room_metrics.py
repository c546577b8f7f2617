"""The metrics of waiting rooms, by workload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from seawall.core.room_statistics import RoomStatistics

Row = tuple[dict[str, str], float]


def room_rows(rooms: Sequence[RoomStatistics]) -> Iterable[tuple[str, str, str, list[Row]]]:
    """Family, kind, help and rows of each of their metrics."""

    def of(figure: Callable[[RoomStatistics], float | None]) -> list[Row]:
        found = [(room.workload, figure(room)) for room in rooms]
        return [({"workload": workload}, value) for workload, value in found if value is not None]

    yield "seawall_room_waiting", "gauge", "With a number that was not called.", of(lambda r: r.waiting)
    yield "seawall_room_due", "gauge", "Called and not in yet.", of(lambda r: r.due)
    yield "seawall_room_places_per_second", "gauge", "Places the line moves.", of(lambda r: r.per_s)
    yield "seawall_room_expected_wait_seconds", "gauge", "What a newcomer is told.", of(lambda r: r.expected_wait_s)
    yield "seawall_room_joined", "counter", "Drew a number.", of(lambda r: r.joined_total)
    yield "seawall_room_called", "counter", "Called.", of(lambda r: r.called_total)
    yield "seawall_room_let_in", "counter", "Called and let in.", of(lambda r: r.in_total)
    yield "seawall_room_missed", "counter", "Called and did not come.", of(lambda r: r.missed_total)
    yield "seawall_room_late", "counter", "Let in after that.", of(lambda r: r.late_total)
    invalid: list[Row] = [
        ({"workload": room.workload, "reason": reason}, total) for room in rooms for reason, total in room.invalid
    ]
    yield "seawall_room_invalid_tickets", "counter", "Tickets not taken.", invalid
