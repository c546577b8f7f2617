"""Is everything still there? Each acknowledged event exactly once in what the Stats API tells, after a crowd."""

from __future__ import annotations

import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.server import ask
from lab.five_times.crowd import SITES, path_of

WAIT_S = 60.0
EVERY_S = 0.5
MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one run. `unacknowledged` are stored though nobody was told so: who sent them had left."""

    acknowledged: int
    missing: int
    doubled: int
    unacknowledged: int

    @property
    def is_kept(self) -> bool:
        """Whether each acknowledged event is there once, and none twice."""
        return self.missing == 0 and self.doubled == 0


def compare(acknowledged: Iterable[int], stored: Mapping[str, int]) -> Events:
    """Numbers of those who were told that their event is kept, against how often each page is in the store."""
    told = {path_of(number) for number in acknowledged}
    return Events(
        acknowledged=len(told),
        missing=len(told - stored.keys()),
        doubled=sum(1 for count in stored.values() if count > 1),
        unacknowledged=len(stored.keys() - told),
    )


def settled(acknowledged: Sequence[int], read: Callable[[], Mapping[str, int]], wait_s: float = WAIT_S) -> Events:
    """As `compare`, once the store has all of them, or after `wait_s`: an event is durable before it is in the store."""
    until = time.monotonic() + wait_s
    while True:
        found = compare(acknowledged, read())
        if found.missing == 0 or time.monotonic() > until:
            return found
        time.sleep(EVERY_S)


def stored(port: int, key: str) -> dict[str, int]:
    """How often each page of the run was seen, over all sites, by the Stats API. Raises OSError where it does not answer."""
    found: Counter[str] = Counter()
    for site in SITES:
        offset = 0
        while True:
            question: dict[str, object] = {
                "site_id": site,
                "metrics": ["pageviews"],
                "date_range": "all",
                "dimensions": ["event:page"],
                "filters": [["contains", "event:page", ["/lab/"]]],
                "pagination": {"limit": MOST_ROWS, "offset": offset},
            }
            rows = _asked(port, key, question)
            for row in rows:
                (path,), (views,) = row["dimensions"], row["metrics"]
                assert isinstance(views, int)
                found[str(path)] += views
            offset += MOST_ROWS
            if len(rows) < MOST_ROWS:
                break
    return dict(found)


def _asked(port: int, key: str, question: dict[str, object]) -> list[dict[str, list[object]]]:
    """The server may still be busy with the crowd: whoever is told to come back does."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            return ask(port, key, question)
        except urllib.error.HTTPError as refused:
            if refused.code not in (429, 503) or time.monotonic() > until:
                raise
            time.sleep(EVERY_S)
