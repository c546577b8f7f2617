"""A service with some mends: step 0's source, with each mend's definitions in the place of those they replace.

`python -m lab.launch_day.compose locks pool` prints it, so that
`python -m lab.launch_day.compose locks | diff lab/launch_day/step0_as_it_was.py -` shows what a mend changes.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

FOLDER = Path(__file__).parent
STEP_0 = FOLDER / "step0_as_it_was.py"
STEP_0_MODULE = "lab.launch_day.step0_as_it_was"


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level statement as it is written, with the comments above it, and the names that it binds."""

    gap: int  # blank lines above
    text: str
    names: frozenset[str]
    is_import: bool


class Clash(ValueError):
    """Two mends replace the same definition, so they cannot be composed."""


def mend_file(mend: str) -> Path:
    """Where a mend is written."""
    return FOLDER / "mends" / f"{mend}.py"


def compose(mends: Iterable[str]) -> str:
    """The source of step 0 with these mends, in their order. Raises Clash, and FileNotFoundError for an unknown mend.

    A definition replaces the one of the same name. A new one goes before the next definition of its file that replaces
    something, or to the end. Imports are joined; those of step 0 itself are dropped.
    """
    blocks = list(_blocks(STEP_0.read_text()))
    replaced: dict[str, str] = {}
    for mend in mends:
        waiting: list[Block] = []
        after = -1
        for block in _blocks(mend_file(mend).read_text()):
            if block.is_import:
                if STEP_0_MODULE not in block.text:
                    blocks.insert(_end_of_imports(blocks), block)
                continue
            if not block.names and _is_docstring(block):
                continue
            place = next((n for n, old in enumerate(blocks) if block.names & old.names and not old.is_import), None)
            if place is None:
                waiting.append(block)
                continue
            for name in block.names:
                if name in replaced:
                    raise Clash(f"{name}: replaced by both {replaced[name]} and {mend}")
                replaced[name] = mend
            blocks[place : place + 1] = [*waiting, replace(block, gap=blocks[place].gap) if not waiting else block]
            after = place + len(waiting)
            waiting = []
        at = after + 1 if after >= 0 else _end_of_definitions(blocks)
        blocks[at:at] = waiting
    return _tidy(_joined(blocks))


def _blocks(source: str) -> Iterator[Block]:
    tree = ast.parse(source)
    lines = source.splitlines()
    begin = gap = 0
    for node in tree.body:
        end = node.end_lineno or node.lineno
        while not lines[begin : begin + 1][0]:
            begin, gap = begin + 1, gap + 1
        text = "\n".join(lines[begin:end])
        yield Block(gap, text, frozenset(_names(node)), isinstance(node, ast.Import | ast.ImportFrom))
        begin, gap = end, 0


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)


def _is_docstring(block: Block) -> bool:
    return block.text.startswith('"""')


def _end_of_imports(blocks: Sequence[Block]) -> int:
    return max(n for n, block in enumerate(blocks) if block.is_import) + 1


def _end_of_definitions(blocks: Sequence[Block]) -> int:
    return len(blocks) - 1 if blocks[-1].text.startswith("if __name__") else len(blocks)


def _joined(blocks: Sequence[Block]) -> str:
    return "\n".join("\n" * block.gap + block.text for block in blocks) + "\n"


def _tidy(source: str) -> str:
    """Imports that are used, sorted, and the blank lines in place: the linter's own work."""
    for command in (
        ["check", "--quiet", "--fix", "--exit-zero", "--select", "I,F401,F811"],
        ["format", "--quiet"],
    ):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", "lab/launch_day/service.py", "-"]
        ran = subprocess.run(ruff, input=source, capture_output=True, text=True, check=True, cwd=FOLDER.parents[1])
        source = ran.stdout
    return source


if __name__ == "__main__":
    print(compose(sys.argv[1:]), end="")
