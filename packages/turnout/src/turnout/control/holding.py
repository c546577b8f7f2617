"""One process at a time on a data directory: a lock on a file that also says who has it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from turnout.errors import DirectoryHeld, StoreUnavailable

LOCK = "turnout.lock"


class Holding:
    """Holds `data` from `with` to its end; makes the directory where it is missing. The kernel lets go when we die."""

    def __init__(self, data: Path, *, purpose: str) -> None:
        self._data = data
        self._purpose = purpose
        self._file = -1

    def __enter__(self) -> Holding:
        """Raises `DirectoryHeld`, naming who holds it, and `StoreUnavailable` when the directory can't be used."""
        path = self._data / LOCK
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"the data directory {self._data} can't be used: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._file, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(self._file)
            raise DirectoryHeld(
                f"{self._data} is held by {holder}. Stop it first, or choose another directory with --data."
            ) from None
        self.tell(self._purpose)
        return self

    def tell(self, purpose: str) -> None:
        """Changes what others are told of us."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()} ({purpose})\n".encode(), 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)
