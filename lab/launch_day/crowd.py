"""Sends the crowd of the launch day with Flashcrowd: at a constant rate (open), or a fixed number of people (closed)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from lab import crowd as flashcrowd
from lab.crowd import Asked, Sent
from lab.launch_day.requests import MOST_LATE_MS, Request
from lab.launch_day.seed import Crowd

PEOPLE = Path(__file__).with_name("people.py")


@dataclass(frozen=True, slots=True)
class Came:
    """The requests of a crowd, how many could not be sent, and what the generator says against the run (or nothing)."""

    requests: list[Request]
    dropped: int
    void_reason: str = ""


class People(Protocol):
    """A crowd on its way."""

    def ends_at(self) -> float:
        """Wait for the crowd to begin, and tell when the last is meant to come (seconds, as time.time)."""
        ...

    def wait(self) -> Came:
        """Wait until all have their answer or have left."""
        ...


class Generator(Protocol):
    """What sends a crowd: `coming` here, and that of `k6`."""

    def __call__(
        self, crowd: Crowd, port: int, directory: Path, *, rate: float = 0.0, users: int = 0, seconds: float
    ) -> AbstractContextManager[People]:
        """A crowd of `rate` people a second, or of `users` who come again and again; ended with the block."""
        ...


class _Flashcrowd:
    def __init__(self, people: flashcrowd.People) -> None:
        self._people = people

    def ends_at(self) -> float:
        return self._people.ends_at()

    def wait(self) -> Came:
        came = self._people.wait()
        return Came([_request(n, sent) for n, sent in enumerate(came.requests)], came.unsent, came.void_reason)


@contextmanager
def coming(
    crowd: Crowd, port: int, directory: Path, *, rate: float = 0.0, users: int = 0, seconds: float
) -> Iterator[People]:
    """See `Generator`."""
    told = directory / "crowd.json"
    told.write_text(json.dumps(asdict(crowd)))
    asked = Asked(
        str(PEOPLE),
        f"http://127.0.0.1:{port}",
        seconds,
        rate_per_s=rate,
        users=users,
        most_late_ms=MOST_LATE_MS,
        data={"crowd": str(told)},
    )
    with flashcrowd.coming(asked, directory / "flashcrowd") as people:
        yield _Flashcrowd(people)


def _request(n: int, sent: Sent) -> Request:
    return Request(
        n,
        sent.name,
        intended=sent.intended_ms,
        late=sent.late_ms,
        took=sent.took_ms,
        status=sent.status,
        right=sent.outcome == "good",
        timed_out=sent.outcome == "timed_out",
    )
