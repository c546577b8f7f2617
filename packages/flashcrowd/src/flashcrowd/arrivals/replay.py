"""The instants at which others came once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path

from flashcrowd.errors import BadInput

MOST_INSTANTS = 10_000_000


@dataclass(frozen=True, slots=True)
class Replay:
    """Users come at `times_s`, seconds after the start, ascending; those at or after `duration_s` are left out."""

    name: str
    times_s: tuple[float, ...]
    duration_s: float

    def instants(self) -> Iterator[float]:
        """See `OpenArrivals`."""
        return (at for at in self.times_s if at < self.duration_s)

    def __str__(self) -> str:
        return f"open, replay, {sum(1 for _ in self.instants())} users of {self.name} in {self.duration_s:g} s"


def read(path: Path, duration_s: float | None) -> Replay:
    """Reads a file of instants: one a line, seconds or ISO 8601, in any order; counted from the first. Empty lines and what
    follows `#` are left out. Without `duration_s`, up to and with the last one.

    Raises `BadInput` with the line that can't be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--arrivals replay:{path}", f"expected a file of instants, one a line: {error}") from None
    found: list[float] = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            found.append(_instant(text, f"{path}, line {number}"))
    if not found:
        raise BadInput(str(path), "holds no instants: expected one a line, in seconds or ISO 8601")
    if len(found) > MOST_INSTANTS:
        raise BadInput(str(path), f"holds {len(found)} instants: {MOST_INSTANTS} at most")
    first = min(found)
    times = tuple(sorted(at - first for at in found))
    # Just after the last one, so that it is below the end, as every instant is.
    return Replay(path.name, times, duration_s if duration_s is not None else times[-1] + 0.001)


def _instant(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise BadInput(where, f"expected seconds or ISO 8601, not {text!r}") from None
    if not isfinite(seconds):
        raise BadInput(where, f"expected a number of seconds, not {text!r}")
    return seconds
