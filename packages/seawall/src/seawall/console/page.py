"""The console's page as HTML. Pure: from what was read to text. Everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import get_args
from urllib.parse import quote

from seawall.console.reading import Reading, duration
from seawall.console.view import View
from seawall.console.wait_tree import Queue, Waiter
from seawall.core.statistics import Found
from seawall.observe.settings import Level
from seawall.runtime.stacks import Stack

NAMES = 8
"""How many holders are named; a pool may have hundreds."""

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="style.css">
<script src="script.js" defer></script>
</head>
<body>
"""


def draw_page(view: View, *, can_set_level: bool) -> str:
    """The whole page."""
    title = "Calm" if view.verdict.is_calm else view.verdict.title
    return (
        _HEAD.format(title=escape(f"{title} · Seawall"))
        + '<header><a class="skip" href="#now">To what waits now</a><p class="brand">Seawall</p>'
        + '<p class="tools"><a href="./" data-again>Look again</a></p></header>\n'
        + f"<main data-live>{draw_main(view, can_set_level=can_set_level)}</main>\n"
        + '<aside id="stacks" aria-live="polite" tabindex="-1" hidden></aside>\n</body>\n</html>\n'
    )


def draw_main(view: View, *, can_set_level: bool) -> str:
    """What is drawn anew at each look."""
    verdict = view.verdict
    loud = "" if verdict.is_calm else " loud"
    return (
        f'<section class="verdict{loud}"><h1>{escape(verdict.title)}</h1><p>{escape(verdict.reason)}</p></section>\n'
        + _waiting(view)
        + _things(view.readings, view.hidden)
        + _found(view.found)
        + _level(view.level, can_set_level)
        + '<p class="soft">The same as text or JSON: <code>curl -H "Accept: application/json"</code> this address.</p>'
    )


def draw_stacks(who: str, stacks: Sequence[Stack]) -> str:
    """The page of one name's stacks; without a script it is where a click on the name leads."""
    return (
        _HEAD.format(title=escape(f"{who} · Seawall"))
        + '<header><p class="brand">Seawall</p><p class="tools"><a href="./">Back</a></p></header>\n<main>'
        + f'<section class="stacks"><h2>Where {escape(who)} stands</h2>{"".join(map(_stack, stacks))}'
        + ("" if stacks else "<p>It has ended, or is a task of another loop that neither waits nor is waited for.</p>")
        + "</section></main>\n</body>\n</html>\n"
    )


def _waiting(view: View) -> str:
    trees = "".join(map(_tree, view.trees))
    if not trees:
        hint = " At level <b>named</b> waits are not noted." if view.level == "named" else ""
        trees = f'<p class="soft">Nobody waits for anything.{hint}</p>'
    return (
        f'<section id="now" aria-labelledby="now-title"><h2 id="now-title">Who waits for what</h2>{trees}</section>\n'
    )


def _tree(queue: Queue) -> str:
    held = f'<span class="soft">held by</span> {_names(queue.holders) or "nobody known"}'
    return f'<div class="tree"><p class="queue"><b>{escape(queue.resource)}</b> {held}</p>{_line(queue)}</div>'


def _line(queue: Queue) -> str:
    if queue.is_repeated:
        return '<p class="soft">shown elsewhere on this page</p>'
    hidden = f'<li class="soft">{queue.hidden:,} more wait</li>' if queue.hidden else ""
    return f"<ol>{''.join(map(_waiter, queue.waiters))}{hidden}</ol>"


def _waiter(waiter: Waiter) -> str:
    waited = "" if waiter.waited_s is None else f" for {duration(waiter.waited_s)}"
    kept = "".join(_kept(waiter.who, queue) for queue in waiter.keeps)
    return f'<li>{_name(waiter.who)} <span class="soft">waits{waited}</span>{kept}</li>'


def _kept(who: str, queue: Queue) -> str:
    others = _names([holder for holder in queue.holders if holder != who])
    beside = f' <span class="soft">beside</span> {others}' if others else ""
    head = f'<p class="queue"><span class="soft">and holds</span> <b>{escape(queue.resource)}</b>{beside}</p>'
    return f'<div class="kept">{head}{_line(queue)}</div>'


def _things(readings: Sequence[Reading], hidden: int) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Kind", "Name", "Now", "So far", "Held by", "State"))
    rows = "".join(
        f'<tr><td class="soft">{escape(one.kind)}</td><th scope="row">{escape(one.name)}</th><td>{escape(one.now)}</td>'
        f'<td class="soft">{escape(one.detail)}</td><td>{_names(one.holders)}</td>'
        f'<td><span class="state {one.state}">{one.state}</span></td></tr>\n'
        for one in readings
    )
    more = f'<p class="soft">{hidden:,} more are not shown; the metrics have them all.</p>' if hidden else ""
    return (
        '<section aria-labelledby="things-title"><h2 id="things-title">Everything by name</h2>'
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="things-title">'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>{more}</section>\n"
    )


def _found(found: Sequence[Found]) -> str:
    if not found:
        return ""
    rows = "".join(
        f'<li><details id="found-{one.at_s:.6f}"><summary><span class="state failing">{escape(one.kind)}</span> '
        f"<time>{_moment(one.at_s)}</time> {escape(one.told)}</summary>"
        + "".join(f"<h3>{escape(who)}</h3>{_stack(stack)}" for who, stack in one.stacks)
        + "</details></li>\n"
        for one in reversed(found)
    )
    return f'<section aria-labelledby="found-title"><h2 id="found-title">Found lately</h2><ul>{rows}</ul></section>\n'


def _level(level: str, can_set_level: bool) -> str:
    if not can_set_level:
        return f'<p class="soft">Level: <b>{escape(level)}</b>.</p>\n'
    choices = "".join(f"<option{' selected' if each == level else ''}>{each}</option>" for each in get_args(Level))
    return (
        '<form method="post" action="level" class="level"><label for="level">How much locks note</label> '
        f'<select id="level" name="level">{choices}</select> <button>Set</button></form>\n'
    )


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(map(_name, names[:NAMES])) + more


def _name(who: str) -> str:
    return f'<a class="who" href="stacks?who={quote(who, safe="")}">{escape(who)}</a>'


def _stack(stack: Stack) -> str:
    lines = "\n".join(escape(line) for line in stack) or "not known"
    return f'<pre tabindex="0">{lines}</pre>'


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
