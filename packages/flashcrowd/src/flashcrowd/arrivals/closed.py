"""A fixed number of users: the next one comes when one leaves, so that a slow target is asked less."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Closed:
    """`users` at once for `duration_s`; whoever is through begins anew, as somebody else."""

    users: int
    duration_s: float

    def __str__(self) -> str:
        return f"closed, {self.users} users for {self.duration_s:g} s"
