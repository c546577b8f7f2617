"""The tables of the page: what was conserved, and every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from lab.five_times.document import Accounted, Document

CONSERVED = (
    "run",
    "came",
    "accounted for",
    "acknowledged",
    "missing",
    "doubled",
    "kept though nobody was told",
    "holds",
)
RUN = (
    "run",
    "load",
    "good",
    "p50",
    "p99",
    "back after",
    "refused",
    "left",
    "late or partial",
    "errors",
    "sent late, p99",
)


def conservation(document: Document) -> str:
    """Where every request went, and whether everything that was acknowledged is there once."""
    rows = [*_service_kept(document), *_events_kept(document)]
    return (
        "<h2>Nothing lost, nothing doubled</h2><p>Every person who came is in exactly one outcome. For the service, what is "
        "acknowledged is a dashboard that was answered, and it is kept when the database’s counter has it. For Turnout it is "
        "an event that was answered with 202; each has a page of its own, which the Stats API must tell once.</p>"
        f"{_table(CONSERVED, rows)}"
    )


def runs(document: Document) -> str:
    """Every run."""
    return f"<h2>Every run</h2>{_table(RUN, [*_service_runs(document), *_turnout_runs(document)])}"


def _service_kept(document: Document) -> Iterator[Sequence[str]]:
    for run in document["service"]["runs"]:
        load = run["load"]
        over = max(0, load["counted_views"] - load["served_views"])
        is_kept = not load["lost_updates"]
        yield (
            f"step {run['step']} at {load['factor']:g} ×, round {run['round']}",
            *_accounted(run["accounted"]),
            str(load["served_views"]),
            str(load["lost_updates"]),
            "–",
            str(over),
            _holds(is_kept and run["accounted"]["holds"]),
        )


def _events_kept(document: Document) -> Iterator[Sequence[str]]:
    for run in document["turnout"]["runs"]:
        events = run["events"]
        yield (
            f"Turnout, {_what(run['without'])}, at {run['factor']:g} ×",
            *_accounted(run["accounted"]),
            str(events["acknowledged"]),
            str(events["missing"]),
            str(events["doubled"]),
            str(events["unacknowledged"]),
            _holds(events["holds"] and run["accounted"]["holds"]),
        )


def _accounted(told: Accounted) -> tuple[str, str]:
    unsent = f" + {told['unsent']} not sent" if told["unsent"] else ""
    return str(told["planned"]), f"{told['sent']}{unsent}"


def _service_runs(document: Document) -> Iterator[Sequence[str]]:
    for run in document["service"]["runs"]:
        load = run["load"]
        yield (
            f"step {run['step']}, round {run['round']}{' (void)' if load['void'] else ''}",
            f"{load['factor']:g} ×, {load['offered_per_s']:.1f}/s",
            f"{load['goodput_per_s']:.1f}/s",
            f"{load['p50_ms']:,} ms",
            f"{load['p99_ms']:,} ms",
            _back(load["recovery_s"], load["watched_s"]),
            str(load["refused"]),
            str(load["timeouts"]),
            str(load["slow"]),
            str(load["errors"] + load["wrong"]),
            f"{load['lateness_ms']['p99']:g} ms",
        )


def _turnout_runs(document: Document) -> Iterator[Sequence[str]]:
    for run in document["turnout"]["runs"]:
        told = run["outcomes"]
        yield (
            f"Turnout, {_what(run['without'])}{' (void)' if run['void'] else ''}",
            f"{run['factor']:g} ×, {run['offered_per_s']:.1f}/s",
            f"{run['goodput_per_s']:.1f}/s",
            f"{run['p50_ms']:,} ms",
            f"{run['p99_ms']:,} ms",
            _back(run["recovery_s"], run["watched_s"]),
            str(told["refused"]),
            str(told["timed_out"]),
            str(told["late"] + told["partial"]),
            str(told["wrong"] + told["broken"]),
            f"{run['lateness_p99_ms']:g} ms",
        )


def _what(without: str | None) -> str:
    return "whole" if without is None else f"without {without}"


def _back(recovery_s: float | None, watched_s: float) -> str:
    return f"> {watched_s:g} s" if recovery_s is None else f"{recovery_s:.1f} s"


def _holds(holds: bool) -> str:
    return f'<span class="{"holds" if holds else "fails"}">{"yes" if holds else "no"}</span>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    first, *others = heads
    head = f"<th>{first}</th>" + "".join(f'<th class="n">{name}</th>' for name in others)
    body = "".join(
        f'<tr><td class="who">{escape(row[0])}</td>'
        + "".join(f'<td class="n">{cell}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<div class="card scroll tight"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
