"""How a number changed: in few words, with what it means for screen readers and by colour."""

from __future__ import annotations

from typing import Literal

import msgspec

from turnout.web.page.numbers import metric_full, percent

_SPACE = "\u00a0"
LOWER_IS_BETTER = frozenset({"bounce_rate"})

Tone = Literal["good", "bad", "even"]


class Change(msgspec.Struct, frozen=True):
    """`text` as in `38 %`, with `arrow` before it for the eye and `words` for the ear; `title` says it in full."""

    arrow: str
    words: str
    text: str
    tone: Tone
    title: str


def change_of(metric: str, now: float, before: float, now_words: str, before_words: str) -> Change:
    """The change of a metric. `now_words` and `before_words` name the two spans of time."""
    title = f"{metric_full(metric, now)} in {now_words}; {metric_full(metric, before)} in {before_words}"
    if metric == "bounce_rate":
        difference = now - before
        text = f"{abs(difference):.0f}{_SPACE}pt"
    elif before == 0:
        difference = now
        text = "new" if now else f"0{_SPACE}%"
    else:
        difference = 100 * (now - before) / before
        text = percent(abs(difference)) if abs(difference) < 1000 else f"×{_SPACE}{now / before:,.0f}"
    if round(difference, 1) == 0:
        return Change("", "no change,", text, "even", title)
    is_up = difference > 0
    tone: Tone = "good" if is_up != (metric in LOWER_IS_BETTER) else "bad"
    return Change("▲" if is_up else "▼", "up" if is_up else "down", text, tone, title)
