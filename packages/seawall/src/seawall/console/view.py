"""What the console shows, in a size that does not grow with what goes on; and the same as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seawall.console.reading import Reading, Verdict, duration, judge, read
from seawall.console.wait_tree import Queue, wait_tree
from seawall.core.statistics import Found, Snapshot

READINGS = 300
"""How many things are listed; of more, those that somebody waits for or that are busy come first."""

_RANK = ("failing", "crowded", "busy", "calm")


@dataclass(frozen=True, slots=True)
class View:
    """One look. `hidden` counts the things that are not among the `readings`."""

    verdict: Verdict
    level: str
    trees: tuple[Queue, ...]
    readings: tuple[Reading, ...]
    hidden: int
    found: tuple[Found, ...]


def view_of(snapshot: Snapshot) -> View:
    """The view of a snapshot."""
    readings = read(snapshot)
    shown = readings
    if len(readings) > READINGS:
        shown = sorted(readings, key=lambda one: (_RANK.index(one.state), -one.pressure_s))[:READINGS]
    return View(
        judge(readings),
        snapshot.level,
        wait_tree(snapshot),
        tuple(shown),
        len(readings) - len(shown),
        snapshot.found,
    )


def as_text(view: View) -> str:
    """The view for a terminal."""
    lines = [view.verdict.title, view.verdict.reason, "", "Who waits for what"]
    lines += [line for tree in view.trees for line in _tree(tree, "  ")] or ["  Nobody waits for anything."]
    lines += ["", "Everything by name"]
    lines += _table([(one.kind, one.name, one.state, one.now, one.detail) for one in view.readings])
    if view.hidden:
        lines.append(f"  {view.hidden} more are not shown")
    for one in reversed(view.found):
        lines += ["", f"Found: {one.kind}: {one.told}"]
        for who, stack in one.stacks:
            lines += [f"  {who}", *(f"    {line}" for line in stack)]
    return "\n".join([*lines, "", f"Level: {view.level}", ""])


def _tree(queue: Queue, indent: str) -> Iterator[str]:
    again = " (shown elsewhere)" if queue.is_repeated else ""
    yield f"{indent}{queue.resource}, held by {', '.join(queue.holders[:8]) or 'nobody known'}{again}"
    for waiter in queue.waiters:
        waited = "" if waiter.waited_s is None else f" for {duration(waiter.waited_s)}"
        yield f"{indent}  {waiter.who} waits{waited}"
        for kept in waiter.keeps:
            yield from _tree(kept, indent + "    ")
    if queue.hidden:
        yield f"{indent}  {queue.hidden} more wait"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
