"""What every model of arrivals is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class OpenArrivals(Protocol):
    """Users come at instants that were fixed beforehand, whatever becomes of those before them."""

    @property
    def duration_s(self) -> float:
        """Seconds for which users come."""
        ...

    def instants(self) -> Iterator[float]:
        """Seconds after the start at which a user comes, ascending, each below `duration_s`."""
        ...

    def __str__(self) -> str:
        """In words, the model's name first: `open, constant, 200/s for 30 s`."""
        ...
