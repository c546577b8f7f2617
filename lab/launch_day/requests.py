"""What the crowd met: one record a request, and the arithmetic on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

PATIENCE_S = 5.0
"""Who has no answer by then has left. A person waits about so long for a page before they press reload."""

GOOD_WITHIN_MS = {"dashboard": 1_000.0, "sign-in": 5_000.0}
"""Until when an answer is any good, from the moment at which its request was meant to be sent."""

MOST_LATE_MS = 250.0
MOST_DROPPED = 0.01


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Times are in milliseconds from its intended start; status 0 is no answer at all."""

    n: int
    kind: str
    intended: float
    late: float
    took: float
    status: int
    right: bool
    timed_out: bool

    @property
    def is_good(self) -> bool:
        """Answered right and in time."""
        return self.right and self.took <= GOOD_WITHIN_MS[self.kind]


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the requests of one run; `refused` are 503 and 429, `errors` other 5xx and broken connections."""

    sent: int
    good: int
    slow: int
    refused: int
    timeouts: int
    errors: int
    wrong: int
    p50_ms: float
    p99_ms: float
    lateness_p99_ms: float


def parse(lines: Iterable[str]) -> list[Request]:
    """The records that `k6.js` wrote, in the order of arrival. A last line that was cut off is left out."""
    requests = []
    for line in lines:
        if line.endswith("}\n"):
            requests.append(Request(**json.loads(line)))
    return sorted(requests, key=lambda request: request.n)


def tally(requests: Sequence[Request]) -> Tally:
    """Count what became of them: each is in exactly one of good, slow, refused, timeouts, errors and wrong.

    Latencies are of all but the refused; one that timed out counts with the time after which it was given up.
    """
    outcomes = [_outcome(request) for request in requests]
    took = sorted(r.took for r, outcome in zip(requests, outcomes, strict=True) if outcome != "refused")
    count = outcomes.count
    return Tally(
        sent=len(requests),
        good=count("good"),
        slow=count("slow"),
        refused=count("refused"),
        timeouts=count("timeout"),
        errors=count("error"),
        wrong=count("wrong"),
        p50_ms=percentile(took, 0.5),
        p99_ms=percentile(took, 0.99),
        lateness_p99_ms=percentile(sorted(request.late for request in requests), 0.99),
    )


def void_reason(result: Tally, dropped: int) -> str:
    """Why the generator was the limit: requests were not sent, or too late to say anything about a second. Else empty."""
    if dropped > MOST_DROPPED * (result.sent + dropped):
        return f"{dropped} of {result.sent + dropped} requests were not sent"
    if result.lateness_p99_ms > MOST_LATE_MS:
        return f"the generator sent late by {result.lateness_p99_ms:.0f} ms at the 99th percentile"
    return ""


def percentile(ranked: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the sorted values do not exceed; 0 where there are none."""
    return ranked[max(0, ceil(share * len(ranked)) - 1)] if ranked else 0.0


def _outcome(request: Request) -> str:
    if request.is_good:
        return "good"
    if request.right:
        return "slow"
    if request.status in (503, 429):
        return "refused"
    if request.timed_out:
        return "timeout"
    return "error" if request.status == 0 or request.status >= 500 else "wrong"
