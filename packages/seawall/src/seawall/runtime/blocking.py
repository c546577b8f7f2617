"""Who is told that a thread blocks: a pool whose worker waits may need another one."""

from __future__ import annotations

from typing import Protocol


class Blockable(Protocol):
    """Something that minds when its thread waits."""

    def blocks(self) -> None:
        """The thread is about to wait. Called on it; must not block."""
        ...

    def resumes(self) -> None:
        """The wait is over."""
        ...


BLOCKABLES: dict[int, Blockable] = {}
"""By thread ident. An entry is written by its own thread alone."""
