"""Finds a deadlock of locks in memory in the stacks that `faulthandler` writes, for services that cannot tell it themselves.

A frame inside the body of `with some_lock:` holds it; the innermost frame, standing on the line of the `with`, waits for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>\S+)$')


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread that stands at a lock, and which locks it holds."""

    thread: str
    wants: str
    holds: frozenset[str]


def cycle_in(stacks: str, source: str, file: str) -> tuple[str, ...]:
    """The locks that form a ring, each held by a thread that waits for the next; empty where there is none."""
    after = {lock: waiting.wants for waiting in waiting_in(stacks, source, file) for lock in waiting.holds}
    for start in sorted(after):
        ring = [start]
        while (following := after.get(ring[-1])) is not None:
            if following == start:
                return tuple(ring)
            if following in ring:
                break
            ring.append(following)
    return ()


def waiting_in(stacks: str, source: str, file: str) -> list[Waiting]:
    """The threads of a dump whose innermost frame stands at a `with` of the service's `file`."""
    locks = list(_locks(ast.parse(source)))
    found = []
    for thread, frames in _threads(stacks).items():
        ours = [line for path, line in frames if path == file]
        if not frames or frames[0][0] != file:
            continue
        wants = [name for name, first, _ in locks if first == ours[0]]
        holds = {name for name, first, last in locks for line in ours if first < line <= last}
        if wants:
            found.append(Waiting(thread, wants[0], frozenset(holds)))
    return found


def _locks(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Name, line of the `with` and last line of its body, for everything called …_lock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.With):
            for item in node.items:
                if isinstance(item.context_expr, ast.Name) and item.context_expr.id.endswith("_lock"):
                    yield item.context_expr.id, node.lineno, node.end_lineno or node.lineno


def _threads(stacks: str) -> Mapping[str, list[tuple[str, int]]]:
    """Frames of each thread, innermost first."""
    threads: dict[str, list[tuple[str, int]]] = {}
    frames: list[tuple[str, int]] = []
    for line in stacks.splitlines():
        if line.startswith(("Thread 0x", "Current thread 0x")):
            frames = threads.setdefault(line.split("0x", 1)[1].split()[0], [])
        elif frame := FRAME.match(line):
            frames.append((frame["file"], int(frame["line"])))
    return threads
