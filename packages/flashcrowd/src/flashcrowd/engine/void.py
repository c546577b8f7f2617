"""When a run says nothing about the target, and why."""

from __future__ import annotations

from flashcrowd.engine.plan import Limits
from flashcrowd.engine.record import Record


def reason(record: Record, limits: Limits) -> str:
    """Why the run is void, in a sentence; empty where it is not."""
    if record.crashes:
        return f"the users' own code failed {record.crashes} times, first with {record.crash}"
    if record.unstarted:
        return (
            f"{record.unstarted} users were not started, since {limits.users} were under way, the most that were allowed "
            "(--most-users)"
        )
    if record.full:
        return f"the generator could not send: {record.full}"
    late_s = record.lateness.percentiles_s(0.99)[0]
    if late_s > limits.lateness_s:
        return (
            f"the generator sent late by {late_s * 1000:.1f} ms at the 99th percentile; at most "
            f"{limits.lateness_s * 1000:g} ms are allowed (--lateness)"
        )
    if not record.requests:
        return "no request was sent"
    return ""
