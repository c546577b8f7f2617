"""Bars of outcomes as inline SVG: one bar of 100 % for each run, and how many good answers a second that was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, ROW, LEFT, RIGHT = 1080, 44, 292, 190
LEAST_FOR_WORDS = 40.0

KINDS = (
    ("good", "good: right and in time"),
    ("refused", "told at once to come back"),
    ("slow", "too late, or with a part missing"),
    ("timeouts", "left without an answer"),
    ("errors", "an error, or a broken connection"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One run, or all rounds of it together. `counts` are by the names in `KINDS`."""

    label: str
    note: str
    counts: Mapping[str, int]
    value: str
    is_first: bool = True


def bars(rows: Sequence[Bar], label: str) -> str:
    """All bars, one below the other; a line above each that is `is_first` of its group."""
    parts = [part for number, row in enumerate(rows) for part in _bar(row, number * ROW, has_line=bool(number))]
    height = ROW * len(rows)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def legend() -> str:
    """What the colours mean."""
    items = "".join(f'<li class="{key}"><i></i>{words}</li>' for key, words in KINDS)
    return f'<ul class="legend">{items}</ul>'


def _bar(row: Bar, top: float, *, has_line: bool) -> Iterator[str]:
    if row.is_first and has_line:
        yield f'<line class="grid" x1="0" x2="{WIDTH}" y1="{top:.1f}" y2="{top:.1f}"/>'
    if row.is_first:
        yield f'<text class="name" x="4" y="{top + 27}">{escape(row.label)}</text>'
    yield f'<text class="tick" x="{LEFT - 14}" y="{top + 27}" text-anchor="end">{escape(row.note)}</text>'
    total, at = max(1, sum(row.counts.values())), float(LEFT)
    for key, words in KINDS:
        count = row.counts.get(key, 0)
        length = count / total * (WIDTH - LEFT - RIGHT)
        if not count:
            continue
        percent = 100 * count / total
        yield (
            f'<rect class="{key}" x="{at:.1f}" y="{top + 8:.1f}" width="{max(1.0, length - 1):.1f}" height="28" rx="4">'
            f"<title>{escape(row.label)}, {escape(row.note)}: {count} of {total} ({percent:.1f} %): {words}</title></rect>"
        )
        if length > LEAST_FOR_WORDS:
            yield (
                f'<text class="in {key}" x="{at + length / 2:.1f}" y="{top + 26.5:.1f}" text-anchor="middle">'
                f"{percent:.0f} %</text>"
            )
        at += length
    yield f'<text class="figure" x="{WIDTH - RIGHT + 16}" y="{top + 27}">{escape(row.value)}</text>'
