"""What a user does when the service says no."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_WAIT_S = 1.0
"""Waited where an answer says 429 or 503 without a `Retry-After` that can be read."""

LONGEST_WAIT_S = 60.0
"""A longer `Retry-After` is a no for good: nobody sits in front of it, and a load test is over by then."""


@dataclass(frozen=True, slots=True)
class OnRefusal:
    """How often a user comes back after a 429 or 503, and whether it waits as it is told. See `obey`, `give_up`, `insist`."""

    times: int
    waits: bool


def obey(times: int = 1) -> OnRefusal:
    """Waits as `Retry-After` says (one second where it says nothing), then asks again, up to `times` times. The default."""
    return OnRefusal(times, True)


def give_up() -> OnRefusal:
    """Leaves at once."""
    return OnRefusal(0, False)


def insist(times: int = 2) -> OnRefusal:
    """Asks again at once, up to `times` times, whatever the answer said. This is how most clients are written."""
    return OnRefusal(times, False)
