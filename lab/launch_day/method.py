"""How it was measured, in words, for the foot of the page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lab.launch_day.document import Document
from lab.launch_day.requests import GOOD_WITHIN_MS, MOST_DROPPED, MOST_LATE_MS, PATIENCE_S


def method(document: Document) -> str:
    """What each figure means, the command, and where it was run."""
    flags = " --quick" * document["quick"] + " --sqlite" * document["database"].startswith("SQLite")
    command = f"uv run --group lab python -m lab.launch_day{flags} --seed {document['seed']} --html out.html"
    where = (document["machine"], document["database"], f"commit {document['commit']}", f"seed {document['seed']}")
    return (
        f'<h2>How it was measured</h2><div class="notes">{"".join(_notes(document))}</div>'
        f'<p><code class="command">{command}</code></p>'
        f"<footer>{escape(' · '.join((*where, document['finished'])))}</footer>"
    )


def _notes(document: Document) -> Iterator[str]:
    limits = ", ".join(f"a {kind} within {limit / 1000:g} s" for kind, limit in GOOD_WITHIN_MS.items())
    yield (
        f"<p><b>The crowd</b> is Flashcrowd’s, at a constant rate, whether or not the service keeps up, for "
        f"{document['load_s']:g} s: nine dashboards to one sign-in, evenly spaced, each on a connection of its own. Who has "
        f"no answer after {PATIENCE_S:g} s has left.</p>"
    )
    yield f"<p><b>Good</b> is right and in time, from the moment a request was meant to be sent: {limits}.</p>"
    yield (
        "<p><b>The peak</b> is the most good answers a second that step 0 gave: to a few people who each wait for their "
        "answer, and in the full run also at rising rates around that.</p>"
    )
    yield "<p><b>Latencies</b> are of all but the refused; who left counts with the time after which they left.</p>"
    yield (
        "<p><b>Lost updates</b> are dashboards answered with 200, counted around the service also for those who had left, "
        "less what the database’s counter says. They are a lower bound.</p>"
    )
    yield (
        "<p><b>Deadlocks</b> in the database are PostgreSQL’s own count. One in memory is a ring of locks in the stacks of "
        "all threads, the same in two looks a second apart.</p>"
    )
    yield (
        "<p><b>Recovery</b> is the time from the end of the load to the first of three good dashboards in a row, one every "
        f"250 ms, watched for {document['watch_s']:g} s.</p>"
    )
    yield (
        f"<p><b>Void</b> is a run in which over {100 * MOST_DROPPED:g} % could not be sent, or the p99 of lateness was above "
        f"{MOST_LATE_MS:g} ms.</p>"
    )
    yield (
        "<p><b>One machine</b> carries the service, its database and the crowd. Each run has a service of its own, started "
        "afresh; under each load the steps come in turn, so that what else the machine does meets all alike.</p>"
    )
