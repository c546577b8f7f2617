"""What a step changes in the code of the step before it, as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from html import escape

from lab.launch_day.compose import compose
from lab.launch_day.story import STEPS, Step


def change(step: Step) -> tuple[str, int, int]:
    """The code change of a step as HTML, with how many lines it adds and takes away; the whole code of the first."""
    code = compose(step.mends)
    if step.before is None:
        lines = [f"<span>{escape(line) or ' '}</span>" for line in code.splitlines()]
        return _pre(lines), len(lines), 0
    before = next(other for other in STEPS if other.name == step.before)
    diff = list(unified_diff(compose(before.mends).splitlines(), code.splitlines(), lineterm="", n=2))[2:]
    added = sum(line.startswith("+") for line in diff)
    return _pre(list(_marked(diff))), added, sum(line.startswith("-") for line in diff)


def _marked(diff: list[str]) -> Iterator[str]:
    kinds = {"+": "add", "-": "cut", "@": "at"}
    for line in diff:
        kind = kinds.get(line[:1], "")
        shown = "⋯" if kind == "at" else line
        yield f'<span class="{kind}">{escape(shown)}</span>' if kind else f"<span>{escape(shown) or ' '}</span>"


def _pre(lines: list[str]) -> str:
    return f'<pre tabindex="0"><code>{"".join(lines)}</code></pre>'
