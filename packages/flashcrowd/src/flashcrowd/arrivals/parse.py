"""Arrivals as the command line writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from flashcrowd.arrivals import replay
from flashcrowd.arrivals.closed import Closed
from flashcrowd.arrivals.constant import Constant
from flashcrowd.arrivals.model import OpenArrivals
from flashcrowd.arrivals.ramp import Ramp
from flashcrowd.arrivals.spike import Spike
from flashcrowd.arrivals.step import Steps
from flashcrowd.errors import BadInput

Arrivals = OpenArrivals | Closed

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|m|h))?")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

HIGHEST_PER_S = 1_000_000
"""A higher rate is a slip of the hand."""
LONGEST_S = 7 * 86_400.0

FORMS = """constant:200/s | ramp:10/s..200/s | step:50/s,100/s,200/s | spike:20/s,200/s@10s+5s (20/s, but 200/s from 10 s on \
for 5 s) | replay:FILE (one instant a line, seconds or ISO 8601) | closed:300"""
"""For the help of the command, and for errors."""


def duration(text: str, option: str) -> float:
    """`30s`, `2m`, `500ms`, `1h`, or seconds. Raises `BadInput` for anything else, and for 0."""
    found = DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * SECONDS[found[2] or "s"] if found else 0.0
    if not 0 < seconds <= LONGEST_S:
        raise BadInput(option, f"expected a duration such as 30s, 2m or 500ms, at most 7 days, not {text!r}")
    return seconds


def rate(text: str, option: str, *, zero: bool = False) -> float:
    """`200/s`, `12/m`, or a number a second. Raises `BadInput` for anything else, and for 0 unless `zero`."""
    found = RATE.fullmatch(text.strip())
    per_s = float(found[1]) / SECONDS[found[2] or "s"] if found else -1.0
    if not (0 < per_s <= HIGHEST_PER_S or (zero and per_s == 0)):
        raise BadInput(option, f"expected a rate such as 200/s or 30/m, at most {HIGHEST_PER_S}/s, not {text!r}")
    return per_s


def parse(text: str, duration_s: float | None, option: str = "--arrivals") -> Arrivals:
    """Arrivals in one of `FORMS`, for `duration_s` (30 s where it is None, but the file's own time for replay).

    Raises `BadInput`, naming `option` and what was expected.
    """
    kind, colon, rest = text.partition(":")
    form = KINDS.get(kind.strip())
    if not colon or form is None:
        raise BadInput(option, f"expected one of {FORMS}; not {text!r}")
    if form is replay_of:
        return replay.read(Path(rest.strip()), duration_s)
    return form(rest, duration_s if duration_s is not None else DEFAULT_S, option)


DEFAULT_S = 30.0


def constant(text: str, duration_s: float, option: str) -> Arrivals:
    """`200/s`."""
    return Constant(rate(text, option), duration_s)


def ramp(text: str, duration_s: float, option: str) -> Arrivals:
    """`10/s..200/s`."""
    first, dots, last = text.partition("..")
    if not dots:
        raise BadInput(option, f"expected two rates as in ramp:10/s..200/s, not {text!r}")
    found = Ramp(rate(first, option, zero=True), rate(last, option, zero=True), duration_s)
    if found.from_per_s == found.to_per_s:
        raise BadInput(option, f"expected two rates that differ, not {text!r}; constant:{first.strip()} stays as it is")
    return found


def step(text: str, duration_s: float, option: str) -> Arrivals:
    """`50/s,100/s,200/s`."""
    rates = tuple(rate(part, option, zero=True) for part in text.split(","))
    if not any(rates):
        raise BadInput(option, f"expected a rate above 0, not {text!r}")
    return Steps(rates, duration_s)


def spike(text: str, duration_s: float, option: str) -> Arrivals:
    """`20/s,200/s@10s+5s`."""
    found = re.fullmatch(r"([^,@+]+),([^,@+]+)@([^,@+]+)\+([^,@+]+)", text)
    if found is None:
        raise BadInput(option, f"expected BASE,PEAK@BEGIN+LENGTH as in spike:20/s,200/s@10s+5s, not {text!r}")
    base, peak = rate(found[1], option, zero=True), rate(found[2], option)
    begins, lasts = duration(found[3], option), duration(found[4], option)
    if begins + lasts > duration_s:
        raise BadInput(option, f"the spike ends at {begins + lasts:g} s, after the run's {duration_s:g} s; see --for")
    return Spike(base, peak, begins, lasts, duration_s)


def closed(text: str, duration_s: float, option: str) -> Arrivals:
    """`300`."""
    try:
        users = int(text)
    except ValueError:
        users = 0
    if not 0 < users <= HIGHEST_PER_S:
        raise BadInput(option, f"expected a number of users, not {text!r}")
    return Closed(users, duration_s)


def replay_of(text: str, duration_s: float, option: str) -> Arrivals:
    """`FILE`."""
    return replay.read(Path(text.strip()), duration_s)


KINDS: dict[str, Callable[[str, float, str], Arrivals]] = {
    "constant": constant,
    "ramp": ramp,
    "step": step,
    "spike": spike,
    "replay": replay_of,
    "closed": closed,
}
