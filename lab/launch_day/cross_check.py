"""Two generators on one load, side by side."""

from __future__ import annotations

from html import escape

from lab.launch_day.document import CrossCheck, Seen

HEADS = ("good", "p50", "p99", "refused", "left", "sent", "sent late by, p99")


def section(check: CrossCheck) -> str:
    """The cross-check as HTML."""
    rows = _row("Flashcrowd", check["flashcrowd"]) + _row("k6", check["k6"])
    heads = "".join(f'<th class="n">{head}</th>' for head in HEADS)
    return (
        "<h2>Seen by another generator</h2><p>Everything here was sent by this project’s own Flashcrowd. So step "
        f"{escape(check['step'])} met one of its crowds, {check['factor']:g} × ({check['offered_per_s']:.1f}/s), a second "
        "time, sent by k6.</p>"
        f'<div class="card scroll"><table><thead><tr><th>generator</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        "</div>"
    )


def sentence(check: CrossCheck) -> str:
    """The cross-check in a line of Markdown."""
    seen = [
        f"{seen['goodput_per_s']:.1f}{' (void)' if seen['void'] else ''}" for seen in (check["flashcrowd"], check["k6"])
    ]
    return (
        f"Cross-check, step {check['step']} at {check['factor']:g} ×, one after the other: {seen[0]} good answers a second "
        f"by Flashcrowd, {seen[1]} by k6."
    )


def _row(name: str, seen: Seen) -> str:
    figures = (
        f"{seen['goodput_per_s']:.1f}/s",
        f"{seen['p50_ms']:,} ms",
        f"{seen['p99_ms']:,} ms",
        str(seen["refused"]),
        str(seen["timeouts"]),
        str(seen["sent"]),
        f"{seen['lateness_ms']['p99']:g} ms",
    )
    void = f"<small>void: {escape(seen['void_reason'])}</small>" if seen["void"] else ""
    cells = "".join(f'<td class="n">{figure}</td>' for figure in figures)
    return f'<tr><td class="who">{name}{void}</td>{cells}</tr>'
