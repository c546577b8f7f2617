"""Numbers as people read them: short on the page, whole in the title."""

from __future__ import annotations

_SPACE = "\u00a0"


def short_count(count: float) -> str:
    """A count in three or four figures: `9,911`, `41.2 k`, `412 k`, `1.31 M`."""
    if count < 10_000:
        return f"{count:,.0f}"
    # Rounding is checked at the smaller unit first, so that 999,999 reads 1.00 M and never 1000 k.
    for size, unit in ((1e3, "k"), (1e6, "M"), (1e9, "G")):
        scaled = count / size
        if scaled < 99.95:
            return (
                f"{scaled:.1f}{_SPACE}{unit}"
                if unit == "k"
                else f"{scaled:.{2 if scaled < 9.995 else 1}f}{_SPACE}{unit}"
            )
        if scaled < 999.5:
            return f"{scaled:.0f}{_SPACE}{unit}"
    return f"{count:.3g}"


def duration(seconds: float) -> str:
    """`41 s`, `2 m 41 s`, `1 h 5 m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_SPACE}s"
    if whole < 3600:
        return f"{whole // 60}{_SPACE}m{_SPACE}{whole % 60}{_SPACE}s"
    return f"{whole // 3600}{_SPACE}h{_SPACE}{whole % 3600 // 60}{_SPACE}m"


def percent(value: float) -> str:
    """Whole percents; one decimal below one percent, where a whole would read 0 or 1."""
    return f"{value:.1f}{_SPACE}%" if 0 < value < 1 else f"{value:.0f}{_SPACE}%"


def metric_text(metric: str, value: float) -> str:
    """A metric's value in short."""
    if metric == "views_per_visit":
        return f"{value:.2f}"
    if metric == "bounce_rate":
        return f"{value:.0f}{_SPACE}%"
    if metric == "visit_duration":
        return duration(value)
    return short_count(value)


def scale_text(metric: str, value: float) -> str:
    """A step of a chart's scale: steps are round, so no zeros after the point."""
    if metric == "views_per_visit":
        return f"{value:g}"
    if metric == "visit_duration" and value >= 60:
        return duration(value).replace(f"{_SPACE}m{_SPACE}0{_SPACE}s", f"{_SPACE}m").replace(f"{_SPACE}0{_SPACE}m", "")
    return metric_text(metric, value).replace(f".00{_SPACE}", _SPACE).replace(f".0{_SPACE}", _SPACE)


def metric_full(metric: str, value: float) -> str:
    """A metric's value without loss."""
    if metric in ("views_per_visit", "bounce_rate"):
        return metric_text(metric, value)
    return f"{value:,.0f}{_SPACE}seconds" if metric == "visit_duration" else f"{value:,.0f}"
