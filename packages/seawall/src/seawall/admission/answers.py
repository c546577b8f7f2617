"""What the refused are told over HTTP: each answer is put together once and then only sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import random

from seawall.core.control import Reason, Refusal
from seawall.core.patience import LONGEST_RETRY_S

Headers = list[tuple[bytes, bytes]]

TITLES = {503: "Service Unavailable", 429: "Too Many Requests"}
STATUS: dict[Reason, int] = {"full": 503, "wait": 503, "late": 503, "closed": 503, "tenant": 429}
DETAILS: dict[Reason, str] = {
    "full": "More people are here than can be served, and the queue is full.",
    "wait": "More people are here than can be served in time.",
    "late": "More people are here than can be served, and your turn did not come in time.",
    "closed": "The service is restarting.",
    "tenant": "Too many of your requests are waiting already.",
}
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"></head><body><h1>{title}</h1><p>{detail}</p>
<p>Please try again in {seconds} {unit}.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of one refusal."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Answers:
    """The refusals of all reasons, as problem+json (RFC 9457) or as a short page, for each number of seconds.

    There are 5 × 2 × 240 of them at most; each is kept once made. `problem_type` is the `type` of the JSON, `page` the
    short page, in which `{title}`, `{detail}`, `{seconds}` and `{unit}` are filled in by `str.format`.
    """

    def __init__(self, problem_type: str = "about:blank", page: str = PAGE) -> None:
        self._problem_type = problem_type
        self._page = page
        self._made: dict[tuple[str, bool, int], Answer] = {}
        for reason in STATUS:  # those of the first seconds, so that the first of a crowd finds them
            for seconds in range(1, 5):
                for is_page in (False, True):
                    self._make(reason, is_page, seconds)

    def to(self, refusal: Refusal, is_page: bool) -> Answer:
        """The answer to a refusal. Its seconds are rounded up or down at random, so that a crowd does not fall in step."""
        seconds = min(int(2 * LONGEST_RETRY_S), max(1, int(refusal.retry_after_s + random())))
        found = self._made.get((refusal.reason, is_page, seconds))
        return found if found is not None else self._make(refusal.reason, is_page, seconds)

    def _make(self, reason: Reason, is_page: bool, seconds: int) -> Answer:
        status, detail = STATUS[reason], DETAILS[reason]
        if is_page:
            kind, unit = b"text/html; charset=utf-8", "second" if seconds == 1 else "seconds"
            body = self._page.format(title=TITLES[status], detail=detail, seconds=seconds, unit=unit).encode()
        else:
            kind = b"application/problem+json"
            problem = {
                "type": self._problem_type,
                "title": TITLES[status],
                "status": status,
                "detail": detail,
                "reason": reason,
                "retry_after_s": seconds,
            }
            body = json.dumps(problem).encode()
        headers = (
            (b"content-type", kind),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % seconds),
            (b"cache-control", b"no-store"),
        )
        answer = self._made[reason, is_page, seconds] = Answer(status, headers, body)
        return answer
