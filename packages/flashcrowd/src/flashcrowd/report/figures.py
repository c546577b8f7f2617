"""Figures as they are printed: few digits, always with their unit."""

from __future__ import annotations

import math


def number(value: float) -> str:
    """Three digits at most below a thousand, whole thousands apart above: `0.25`, `8.4`, `312`, `12,400`."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "–"
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.2f}" if 0 < abs(value) < 0.995 else f"{value:.1f}".removesuffix(".0")


def milliseconds(value: float) -> str:
    """A duration given in milliseconds: `0.42 ms`, `87 ms`, `1.24 s`, `2 min 5 s`."""
    if not math.isfinite(value):
        return "no answer"
    if value < 999.5:
        return f"{number(value)} ms"
    if value < 59_950:
        return f"{value / 1000:.2f} s" if value < 9_995 else f"{value / 1000:.1f} s"
    return clock(value / 1000)


def short_milliseconds(value: float) -> str:
    """The same for the ticks of an axis, whose values are round: `100 ms`, `1 s`."""
    return f"{value:g} ms" if value < 1000 else f"{value / 1000:g} s"


def clock(seconds: float) -> str:
    """A length of time given in seconds: `12 s`, `2 min 5 s`, `1 h 4 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def rate(per_s: float) -> str:
    """`212/s`."""
    return f"{number(per_s)}/s"


def share(part: float) -> str:
    """A part of one, as a percentage: `0.04 %`, `12 %`, `98.5 %`. What is not nothing is never 0, nor less than all 100."""
    if not math.isfinite(part):
        return "–"
    percent = 100 * part
    if 0 < percent < 0.005:
        return "< 0.01 %"
    if 99.95 <= percent < 100:
        return "> 99.9 %"
    if 9.95 <= percent < 90:
        return f"{percent:.0f} %"
    digits = 2 if percent < 0.995 else 1
    return f"{percent:.{digits}f}".rstrip("0").removesuffix(".") + " %" if percent else "0 %"


def count(value: int, one: str, many: str | None = None) -> str:
    """`1 answer`, `1,204 answers`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"
