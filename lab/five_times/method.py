"""How it was measured, in words, for the foot of the page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lab.five_times.crowd import GOOD_WITHIN_MS, PATIENCE_S
from lab.five_times.document import Document
from lab.five_times.turnout import MOST_LATE_MS


def method(document: Document) -> str:
    """What each figure means, the command, and where it was run."""
    command = f"uv run --group lab python -m lab.five_times{' --quick' * document['quick']} --seed {document['seed']}"
    where = (document["machine"], document["service"]["database"], f"commit {document['commit']}")
    footer = " · ".join((*where, f"seed {document['seed']}", document["finished"]))
    return (
        f'<h2>How it was measured</h2><div class="notes">{"".join(_notes(document))}</div>'
        f'<p><code class="command">{command} --html out.html</code></p><footer>{escape(footer)}</footer>'
    )


def _notes(document: Document) -> Iterator[str]:
    limits = ", ".join(f"{kind} {limit / 1000:g} s" for kind, limit in GOOD_WITHIN_MS.items())
    patience = ", ".join(f"{kind} {limit_s:g} s" for kind, limit_s in PATIENCE_S.items())
    yield (
        f"<p><b>The crowds</b> are Flashcrowd’s, at a constant rate, whether or not the service keeps up, for "
        f"{document['load_s']:g} s, each person on a connection of their own. That of the service is the launch day’s: nine "
        "dashboards to one sign-in.</p>"
    )
    yield (
        f"<p><b>Good</b> is right and in time, from the moment at which a request was meant to be sent. For Turnout: "
        f"{limits}. Patience: {patience}. A dashboard is right when it is whole; one with a part that was "
        "late is <i>partial</i>.</p>"
    )
    yield (
        "<p><b>First fails</b>: the load rises by 30 % a run, from half of what a few people in turn are served, until fewer "
        "than 95 % of those who come are served right and in time.</p>"
    )
    yield (
        "<p><b>Turnout’s peak</b> is the most good answers a second it gave while it served 90 % of those who came: "
        "people in turn, then rates that rise by 30 % a run, until it served fewer twice in a row. Where there are two cores "
        "or more the generator has the last, and Turnout the others.</p>"
    )
    yield (
        "<p><b>Without a protection</b> is <code>turnout serve --lab-without NAME</code>, each run on its own copy of "
        "the same data. What is acknowledged stays durable: no protection of data can be taken away.</p>"
    )
    yield (
        "<p><b>Back after</b> is the time from the end of the load to the first of three good dashboards in a row, one every "
        f"250 ms, watched for {document['watch_s']:g} s.</p>"
    )
    yield (
        f"<p><b>Void</b> is a run in which people could not be sent, or the p99 of the generator’s own lateness was above "
        f"{MOST_LATE_MS:g} ms.</p>"
    )
    yield "<p><b>One machine</b> carries the service, its database and the crowd.</p>"
