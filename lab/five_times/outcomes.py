"""What became of each request: exactly one of seven things, so that all of them together are all that was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from lab.crowd import Sent
from lab.five_times.crowd import GOOD_WITHIN_MS

OUTCOMES = ("good", "late", "partial", "refused", "timed_out", "wrong", "broken")
"""*late*: right, but when it was no good any more. *partial*: a page of which a part was late."""


def outcome_of(sent: Sent, good_within_ms: Mapping[str, float] = GOOD_WITHIN_MS) -> str:
    """One of `OUTCOMES`."""
    if sent.outcome == "good":
        return "good" if sent.took_ms <= good_within_ms[sent.name] else "late"
    if sent.outcome == "wrong" and sent.status == 200 and sent.name == "dashboard":
        return "partial"
    return sent.outcome


def count(requests: Sequence[Sent]) -> dict[str, int]:
    """How many of each outcome, zeros included. Raises ValueError for an outcome that is none of them."""
    found = Counter(outcome_of(sent) for sent in requests)
    if unknown := set(found) - set(OUTCOMES):
        raise ValueError(f"outcomes that are not accounted for: {', '.join(sorted(unknown))}")
    return {outcome: found[outcome] for outcome in OUTCOMES}
