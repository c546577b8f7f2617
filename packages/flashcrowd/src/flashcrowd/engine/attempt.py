"""One attempt at a request: when it was meant, sent and answered, and whether the answer is right."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from email.utils import parsedate_to_datetime

from flashcrowd.clock import monotonic
from flashcrowd.samples import Outcome
from flashcrowd.users.response import Response
from flashcrowd.users.user import Expected
from seawall.clock import SYSTEM_CLOCK

REDIRECTS = {301, 302, 303, 307, 308}


class Attempt:
    """From its start to when it is counted. `judge` or `fail` says what became of it."""

    __slots__ = (
        "attempt", "ended_s", "first_byte_s", "intended_s", "name", "outcome", "reason", "response", "retry_after_s",
        "sent_s", "status",
    )  # fmt: skip

    def __init__(self, name: str, intended_s: float, sent_s: float, attempt: int) -> None:
        self.name = name
        self.intended_s = intended_s
        self.sent_s = sent_s
        self.attempt = attempt
        self.first_byte_s: float | None = None
        self.ended_s = 0.0
        self.status = 0
        self.outcome: Outcome = "good"
        self.reason = ""
        self.retry_after_s: float | None = None
        self.response: Response | None = None

    def judge(self, response: Response, expect: Expected) -> None:
        """Right, refused or wrong."""
        if self.outcome != "good":
            return
        self.ended_s = response.ended_s
        self.status = status = response.status
        self.response = response
        if expect is None:
            fits: object = 200 <= status < 300
        elif isinstance(expect, int):
            fits = status == expect
        elif isinstance(expect, Collection):
            fits = status in expect
        else:
            try:
                fits = expect(response)
            except Exception as error:  # noqa: BLE001 - an answer that a check can't read is wrong
                fits, self.reason = False, f"{type(error).__name__}: {error}"
        if fits:
            return
        if status in (429, 503):
            self.outcome, self.reason = "refused", f"status {status}"
            self.retry_after_s = retry_after_s(response.header("retry-after"))
        else:
            self.outcome = "wrong"
            location = response.header("location") if status in REDIRECTS else None
            self.reason = self.reason or (f"status {status}" + (f" to {location}" if location else ""))

    def fail(self, outcome: Outcome, reason: str, response: Response | None) -> None:
        """No answer that could be judged."""
        self.outcome, self.reason, self.ended_s = outcome, reason, monotonic()
        self.status = response.status if response is not None else 0


def retry_after_s(text: str | None) -> float | None:
    """Seconds to wait, from a number or a date (RFC 9110, 10.2.3); None where it is neither."""
    if text is None:
        return None
    text = text.strip()
    if text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - SYSTEM_CLOCK.time())
