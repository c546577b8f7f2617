"""Draws the handbook's pictures into docs/images/patterns, and their style sheet for the site.

Run: `uv run python tools/diagrams.py`. A test compares what is committed with what this draws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from drawing import Drawing, style_sheet, timeline
from primitive_chart import which_primitive

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = "docs/images/patterns"
STYLE = "tools/docs_site/theme/assets/diagrams.css"


def lost_update() -> Drawing:
    """Two that read before either writes."""
    return timeline(
        "Two tasks read 7; each writes 8; one update is lost",
        [
            ("task A", [(0.02, 0.2, "", "reads 7"), (0.5, 0.7, "good", "writes 8")]),
            ("task B", [(0.22, 0.4, "", "reads 7"), (0.74, 0.94, "bad", "writes 8")]),
            ("counter", [(0, 0.5, "", "7"), (0.5, 0.74, "", "8"), (0.74, 1, "bad", "8, and should be 9")]),
        ],
        [("With a mutex, B reads only after A has written.", "soft")],
    )


def check_then_act() -> Drawing:
    """Everybody sees the last seat free."""
    return timeline(
        "Two buyers see the last seat free while the first one pays; it is sold twice",
        [
            ("Anna", [(0.02, 0.24, "", "1 seat free?"), (0.25, 0.66, "", "pays"), (0.67, 0.8, "good", "has it")]),
            ("Bert", [(0.14, 0.36, "", "1 seat free?"), (0.37, 0.78, "", "pays"), (0.79, 0.98, "bad", "has it, too")]),
            ("free seats", [(0, 0.67, "", "1"), (0.67, 0.79, "", "0"), (0.79, 1, "bad", "−1")]),
        ],
        [("The longer the step between check and act, the more come in.", "soft")],
    )


def lock_order() -> Drawing:
    """A ring of two threads and two locks."""
    drawing = Drawing("Each thread holds one lock and waits for the other's: a ring", 680, 218)
    for x, name in ((170, "Anna's thread"), (510, "Bert's thread")):
        drawing.box(x - 80, 88, 160, 40)
        drawing.words(x, 113, name, "strong", "middle")
    for y, name in ((22, "lock of Bert's account"), (154, "lock of Anna's account")):
        drawing.box(240, y, 200, 40, "bad")
        drawing.words(340, y + 25, name, "", "middle")
    drawing.arrow((170, 88), (170, 42), (240, 42), kind="bad")
    drawing.words(156, 70, "waits for", "small", "end")
    drawing.arrow((440, 42), (510, 42), (510, 88), kind="bad")
    drawing.words(524, 70, "held by", "small")
    drawing.arrow((510, 128), (510, 174), (440, 174), kind="bad")
    drawing.words(524, 156, "waits for", "small")
    drawing.arrow((240, 174), (170, 174), (170, 128), kind="bad")
    drawing.words(156, 156, "held by", "small", "end")
    return drawing


def lock_across_io() -> Drawing:
    """Single file behind somebody else's answer."""
    return timeline(
        "Three requests that hold a lock while they wait for an answer go one after the other",
        [
            ("request 1", [(0, 0.3, "good", "lock, and an answer")]),
            ("request 2", [(0, 0.3, "wait", "waits"), (0.3, 0.6, "good", "lock, and an answer")]),
            (
                "request 3",
                [(0, 0.6, "wait", "waits for somebody else's answer"), (0.6, 0.9, "good", "lock, and an answer")],
            ),
        ],
        [("Outside the lock the three answers come side by side.", "soft")],
    )


def group_commit() -> Drawing:
    """What gathers during one commit is the next batch."""
    return timeline(
        "Rows that come during one commit go into the next one together",
        [
            ("puts", [(0, 0.05, "good", "1"), (0.12, 0.4, "", "2  3  4  5"), (0.46, 0.74, "", "6  7  8  9  10")]),
            ("commits", [(0.05, 0.4, "good", "1"), (0.41, 0.74, "", "2 – 5"), (0.75, 1, "", "6 – 10")]),
            ("acknowledged", [(0.4, 0.46, "good", "1"), (0.74, 0.86, "", "2 – 5")]),
        ],
        [("A lone row waits for nothing. Batches grow with the load.", "soft")],
    )


def pool_exhaustion() -> Drawing:
    """All threads wait for work that stands in the queue of the same pool."""
    drawing = Drawing("Four reports hold the four threads and wait for four parts that need a thread", 680, 234)
    drawing.words(40, 34, "4 threads", "strong")
    drawing.words(440, 34, "queue", "strong")
    for number in range(4):
        y = 46 + 38 * number
        drawing.box(40, y, 200, 30, "bad")
        drawing.words(140, y + 20, f"report {number + 1}: waits", "small", "middle")
        drawing.box(440, y, 200, 30, "wait")
        drawing.words(540, y + 20, f"part {number + 1}", "small", "middle")
        drawing.arrow((240, y + 15), (440, y + 15), kind="bad")
    drawing.words(340, 54, "waits for", "small", "middle")
    drawing.arrow((540, 198), (540, 216), (140, 216), (140, 198), kind="bad")
    drawing.words(340, 210, "need one of the four threads", "small", "middle")
    return drawing


def more_threads_than_connections() -> Drawing:
    """Threads in line for connections, people in line for threads."""
    drawing = Drawing("35 of 40 threads stand in line for 5 connections; a health check waits for a thread", 680, 196)
    drawing.words(24, 32, "people", "strong")
    drawing.words(190, 32, "40 threads", "strong")
    drawing.words(530, 32, "5 connections", "strong")
    drawing.box(24, 76, 110, 50, "wait")
    drawing.words(79, 98, "health check:", "small", "middle")
    drawing.words(79, 115, "no thread free", "small bad", "middle")
    for number in range(40):
        column, row = divmod(number, 5)
        drawing.box(190 + 32 * (7 - column), 48 + 24 * row, 26, 18, "good" if number < 5 else "wait")
    for number in range(5):
        drawing.box(530, 48 + 24 * number, 110, 18, "good")
        drawing.arrow((440, 57 + 24 * number), (530, 57 + 24 * number), kind="good")
    drawing.words(430, 184, "5 work", "small good", "middle")
    drawing.words(290, 184, "35 wait, each with a thread", "small bad", "middle")
    drawing.arrow((134, 101), (186, 101), kind="bad")
    return drawing


def why_more_threads_did_not_help() -> Drawing:
    """The same two are served at a time, and the crowd in front is larger."""
    drawing = Drawing("With 8 threads or with 40, the database works on two queries at a time", 680, 190)
    for left, count, label in ((40, 8, "8 threads"), (360, 40, "40 threads")):
        drawing.words(left + 22 * (8 - -(-count // 5)), 32, label, "strong")
        for number in range(count):
            column, row = divmod(number, 5)
            drawing.box(left + 22 * (7 - column), 46 + 20 * row, 17, 14, "good" if number < 2 else "wait")
        drawing.box(left + 206, 42, 66, 44, "good")
        drawing.words(left + 239, 69, "database", "small", "middle")
        for row in range(2):
            drawing.arrow((left + 172, 53 + 20 * row), (left + 206, 53 + 20 * row), kind="good")
    drawing.words(172, 172, "2 work, 6 wait", "small")
    drawing.words(360, 172, "2 work, 38 wait: as fast as before", "small bad")
    return drawing


def gil_convoy() -> Drawing:
    """The loop waits its turn behind each thread that computes."""
    return timeline(
        "The event loop waits its turn for the interpreter lock behind threads that compute",
        [
            ("thread 1", [(0, 0.18, "", "5 ms"), (0.54, 0.72, "", "5 ms")]),
            ("thread 2", [(0.18, 0.36, "", "5 ms"), (0.74, 0.92, "", "5 ms")]),
            ("thread 3", [(0.36, 0.54, "", "5 ms")]),
            ("event loop", [(0.06, 0.72, "wait", "a request came; waits for the lock"), (0.72, 0.74, "good", "")]),
        ],
        [("One at a time, a switch interval (5 ms) each; the loop needs many turns.", "soft")],
    )


def blocked_event_loop() -> Drawing:
    """One blocking call, and every task waits."""
    return timeline(
        "While one task blocks the thread of the loop, no other task runs",
        [
            ("page", [(0.04, 0.7, "bad", "connection.execute(query) blocks the thread")]),
            ("health check", [(0.12, 0.7, "wait", "due"), (0.7, 0.78, "good", "")]),
            ("time-out", [(0.3, 0.78, "wait", "due"), (0.78, 0.86, "good", "")]),
        ],
        [("In a pool the call blocks a thread of its own, and the loop goes on.", "soft")],
    )


def cancellation() -> Drawing:
    """A permit that goes to somebody who is leaving."""
    return timeline(
        "A waiter is handed the permit and cancelled before it runs: the permit is gone",
        [
            ("first", [(0, 0.3, "good", "inside"), (0.3, 0.44, "", "releases")]),
            ("second", [(0.06, 0.44, "wait", "waits"), (0.44, 0.72, "bad", "let in, and cancelled")]),
            ("third", [(0.2, 1, "wait", "waits for ever: nobody has the permit, nobody gives it back")]),
        ],
        [("In Seawall the second passes on what it was given: the third is let in.", "soft")],
    )


def cache_stampede() -> Drawing:
    """Everybody misses until the first answer is kept."""
    return timeline(
        "When a key runs out everybody asks the store; with a refresh behind the old answer, one does",
        [
            (
                "plain cache",
                [(0, 0.3, "good", "kept"), (0.3, 0.74, "bad", "50 × the same query"), (0.74, 1, "good", "kept")],
            ),
            (
                "with a refresh",
                [(0, 0.3, "good", "kept"), (0.3, 0.5, "good", "the old one"), (0.5, 1, "good", "the new one")],
            ),
            ("its store", [(0.3, 0.5, "", "1 query")]),
        ],
        [("Fifty at once take longer than one, so more miss.", "soft")],
    )


def exactly_once() -> Drawing:
    """A process ends between two commits."""
    return timeline(
        "Killed after the effect and before the position, a process does the same message again",
        [
            (
                "process",
                [
                    (0, 0.26, "", "pays in 50"),
                    (0.27, 0.36, "bad", "killed"),
                    (0.46, 0.72, "bad", "pays in 50"),
                    (0.73, 0.96, "", "position 1"),
                ],
            ),
            ("account", [(0, 0.26, "", "0"), (0.26, 0.72, "", "50"), (0.72, 1, "bad", "100, not 50")]),
            ("position", [(0, 0.96, "", "0"), (0.96, 1, "", "1")]),
        ],
        [("In one transaction both are there, or neither.", "soft")],
    )


def health_checks_under_load() -> Drawing:
    """Three probes behind the crowd."""
    return timeline(
        "Probes wait behind the crowd; after the third that is late the process is restarted",
        [
            ("requests", [(0, 0.7, "good", "one after the other, as fast as it can"), (0.71, 1, "bad", "34 lost")]),
            (
                "probe",
                [
                    (0.02, 0.22, "bad", "1: too late"),
                    (0.25, 0.45, "bad", "2: too late"),
                    (0.48, 0.68, "bad", "3: too late"),
                ],
            ),
            ("process", [(0, 0.7, "", "healthy"), (0.71, 1, "bad", "restarted")]),
        ],
        [("With a lane of its own the probe is answered at once, at any load.", "soft")],
    )


def how_much_capacity() -> Drawing:
    """The curve of the Universal Scalability Law, with the numbers of the page's test."""
    drawing = Drawing("Throughput by seats rises to 109 a second at 14 and falls below that of one at 200", 680, 290)
    left, bottom, width, height = 70, 236, 580, 190

    def at(seats: float) -> tuple[float, float]:
        rate = 20 * seats / (1 + 0.05 * (seats - 1) + 0.005 * seats * (seats - 1))
        return left + width * seats / 200, bottom - height * rate / 120

    drawing.words(left - 50, 30, "answers a second", "strong")
    drawing.words(left + width, bottom + 40, "seats", "strong", "end")
    for rate in (0, 20, 40, 60, 80, 100):
        y = bottom - height * rate / 120
        drawing.line(left, y, left + width, y)
        drawing.words(left - 10, y + 4, str(rate), "small", "end")
    for seats in (1, 50, 100, 150, 200):
        drawing.words(left + width * seats / 200, bottom + 20, str(seats), "small", "middle")
    drawing.curve([at(seats) for seats in range(1, 201)], "good")
    for seats, words, kind, by in (
        (14, "14: the peak, 109 a second, each in 0.13 s", "good", (14, -6)),
        (10, "10: 105 a second, each in 0.10 s", "good", (86, 30)),
        (100, "100: 36 a second, each in 2.8 s", "bad", (0, -18)),
        (200, "200: 19 a second, each in 10.5 s", "bad", (0, -18)),
    ):
        x, y = at(seats)
        drawing.box(x - 4, y - 4, 8, 8, kind)
        drawing.words(x + by[0], y + by[1], words, f"small {kind}", "end" if seats == 200 else "start")
    return drawing


def load_testing_honestly() -> Drawing:
    """What is sent during a second in which nothing is answered."""
    drawing = Drawing(
        "While the service stands still a closed loop sends five requests, people send a hundred", 680, 196
    )
    left, width = 150, 506
    drawing.words(left - 16, 41, "service", "strong", "end")
    for start, end, kind, words in ((0, 0.28, "good", "5 ms each"), (0.28, 0.72, "bad", "stands still for a second")):
        drawing.box(left + width * start, 22, width * (end - start) - 2, 28, kind)
        drawing.words(left + width * (start + end) / 2, 41, words, "small", "middle")
    drawing.box(left + width * 0.72, 22, width * 0.28, 28, "good")
    for top, label, told, kind in (
        (66, "closed loop", "5 wait, and send nothing: p99 is 25 ms", "wait"),
        (110, "people", "each of the hundred waits: p99 is 960 ms", "bad"),
    ):
        drawing.words(left - 16, top + 19, label, "strong", "end")
        drawing.line(left, top + 14, left + width, top + 14)
        for number in range(51):
            at = number / 50
            is_during = 0.28 <= at < 0.72
            if kind == "bad" or not is_during or at < 0.38:
                drawing.box(left + (width - 5) * at, top + 2, 5, 24, kind if is_during else "good")
        drawing.words(left + width * 0.5, top + 40, told, "small", "middle")
    drawing.arrow((left, 170), (left + width, 170))
    return drawing


PICTURES: dict[str, Callable[[], Drawing]] = {
    "lost-update": lost_update,
    "check-then-act": check_then_act,
    "lock-order": lock_order,
    "lock-across-io": lock_across_io,
    "group-commit": group_commit,
    "pool-exhaustion": pool_exhaustion,
    "more-threads-than-connections": more_threads_than_connections,
    "why-more-threads-did-not-help": why_more_threads_did_not_help,
    "the-gil-convoy": gil_convoy,
    "a-blocked-event-loop": blocked_event_loop,
    "cancellation": cancellation,
    "cache-stampede": cache_stampede,
    "exactly-once": exactly_once,
    "health-checks-under-load": health_checks_under_load,
    "how-much-capacity": how_much_capacity,
    "load-testing-honestly": load_testing_honestly,
    "which-primitive": which_primitive,
}


def files() -> dict[str, str]:
    """Every file that this draws, by its path in the repository."""
    return {f"{FOLDER}/{name}.svg": draw().svg() for name, draw in PICTURES.items()} | {STYLE: style_sheet()}


if __name__ == "__main__":
    for path, text in files().items():
        (REPOSITORY / path).parent.mkdir(parents=True, exist_ok=True)
        (REPOSITORY / path).write_text(text, encoding="utf-8")
