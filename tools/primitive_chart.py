"""The decision chart of docs/patterns/which-primitive.md: from what is shared to what to use."""

from __future__ import annotations

from typing import NamedTuple

from drawing import Drawing


class Leaf(NamedTuple):
    """An answer: when, what, and the page to read (from docs/images/patterns)."""

    when: str
    use: str
    page: str = ""


LOCKS = "../../reference/seawall/locks.md"
FLOW = "../../reference/seawall/flow.md"
PATTERNS = "../../patterns"

CHART: dict[str, list[Leaf]] = {
    "memory of one process": [
        Leaf("read, then changed", "Mutex", f"{PATTERNS}/lost-update.md"),
        Leaf("read by many for long, seldom changed", "ReadWriteLock", LOCKS),
        Leaf("one waits until another has done something", "Condition", LOCKS),
        Leaf("one thread can own it alone", "Worker", FLOW),
    ],
    "rows of a database": [
        Leaf("one statement can check and change", "UPDATE … WHERE", f"{PATTERNS}/check-then-act.md"),
        Leaf("read, reckon, write back", "row lock", f"{PATTERNS}/one-process-or-many.md"),
        Leaf("one process of several may do it", "Lease", f"{PATTERNS}/leases-and-fencing.md"),
        Leaf("everybody writes, each write costs a commit", "Batcher", f"{PATTERNS}/group-commit.md"),
    ],
    "an answer that many ask for": [
        Leaf("at the same moment", "SingleFlight", f"{PATTERNS}/check-then-act.md"),
        Leaf("again soon, and a second old will do", "Cache", f"{PATTERNS}/cache-stampede.md"),
    ],
    "something scarce": [
        Leaf("so many may do it at once", "Semaphore", f"{PATTERNS}/more-threads-than-connections.md"),
        Leaf("connections, clients, handles", "ResourcePool", "../../reference/seawall/pools.md"),
        Leaf("calls that block, beside an event loop", "ThreadPool", f"{PATTERNS}/a-blocked-event-loop.md"),
        Leaf("more people come than can be served", "Gate", f"{PATTERNS}/how-much-capacity.md"),
        Leaf("… and they would rather wait than go", "WaitingRoom", "../../how-to/open-a-waiting-room.md"),
    ],
}

ROW, GAP, WIDTH = 34, 16, 720


def which_primitive() -> Drawing:
    """A tree, read from the left."""
    height = sum(ROW * len(leaves) for leaves in CHART.values()) + GAP * (len(CHART) + 1) + 24
    drawing = Drawing(
        "Which primitive when, by what is shared; the table below says the same", WIDTH, height, has_links=True
    )
    drawing.words(20, 30, "What is shared?", "strong")
    y = 24 + GAP
    for group, leaves in CHART.items():
        size = ROW * len(leaves)
        drawing.box(20, y, 142, size - 6)
        first, last = _halves(group)
        middle = y + (size - 6) / 2
        drawing.words(91, middle - (4 if last else -5), first, "strong small", "middle")
        if last:
            drawing.words(91, middle + 13, last, "strong small", "middle")
        for number, leaf in enumerate(leaves):
            base = y + ROW * number + 14
            drawing.line(162, base, 178, base)
            drawing.words(186, base + 5, leaf.when, "small")
            drawing.arrow((500, base), (530, base))
            drawing.box(532, base - 13, 168, 26, "good" if leaf.page else "")
            drawing.words(616, base + 5, leaf.use, "mono" if leaf.page else "small", "middle", leaf.page)
        y += size + GAP
    return drawing


def _halves(text: str) -> tuple[str, str]:
    words = text.split()
    half = (len(words) + 1) // 2
    return " ".join(words[:half]), " ".join(words[half:])
