"""What a waiting room says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoomStatistics:
    """The waiting room of one workload. `called_total` is `in_total` + `missed_total` + `due` at any moment.

    `waiting` have a number that was not called yet (those who left without a word among them), `due` are called and not
    in yet, `missed_total` were called and did not come, `late_total` came all the same after that. `per_s` is how many
    places the line moves a second, None until that is known. `invalid` tells how many tickets were not taken, by reason.
    `expected_wait_s` is what a newcomer is told, in seconds: 0 where nobody is before it, None until it is known.
    """

    workload: str
    is_open: bool
    waiting: int
    due: int
    joined_total: int
    called_total: int
    in_total: int
    missed_total: int
    late_total: int
    per_s: float | None = None
    invalid: tuple[tuple[str, int], ...] = ()
    expected_wait_s: float | None = None

    @property
    def name(self) -> str:
        """The workload, by which a snapshot sorts."""
        return self.workload
