"""What was asked to be exported, and the files made of it: two for each export, in one folder of the data directory."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import msgspec

from turnout.errors import StoreUnavailable

_LOG = logging.getLogger("turnout.exports")

Kind = Literal["report", "events"]
"""*report*: what a site's page shows in a view. *events*: every event of the site."""

State = Literal["waiting", "building", "done", "failed", "cancelled"]
TOKEN_BYTES = 16


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One export. `question` is what the address asks for (`period=7d&f=…`, or `first=…&last=…`); `asked_by` whose it is.

    `token` is random, and no name of anything else. `why` says in words what became of it where there is no file.
    """

    token: str
    site_id: int
    domain: str
    kind: Kind
    question: str
    asked_by: str
    asked_s: float
    state: State = "waiting"
    name: str = ""
    size_bytes: int = 0
    ended_s: float = 0.0
    why: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ("done", "failed", "cancelled")


class ExportShelf:
    """The folder. All of it blocks; each export is written by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def load(self) -> list[Export]:
        """What is there, the oldest first; what was being built when the server ended waits again. Clears leftovers."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                export = msgspec.json.decode(path.read_bytes(), type=Export)
            except (OSError, msgspec.MsgspecError) as error:
                _LOG.warning("%s is no export, and is deleted: %s", path.name, error)
                path.unlink(missing_ok=True)
                continue
            if not export.is_over:
                export = msgspec.structs.replace(export, state="waiting")
            found.append(export)
        known = {export.token for export in found if export.state == "done"}
        for path in self._folder.iterdir():
            if path.suffix in (".part", ".new") or (path.suffix == ".zip" and path.stem not in known):
                path.unlink(missing_ok=True)
        return sorted(found, key=lambda export: export.asked_s)

    def save(self, export: Export) -> None:
        """Puts it down, in place of what was there. Raises `StoreUnavailable`."""
        path = self._folder / f"{export.token}.json"
        fresh = path.with_suffix(".new")
        try:
            fresh.touch(mode=0o600)
            fresh.write_bytes(msgspec.json.encode(export))
            fresh.replace(path)
        except OSError as error:
            raise StoreUnavailable(f"the export can't be noted: {error.strerror}") from error

    def remove(self, token: str) -> None:
        """Deletes it with its file."""
        for suffix in (".json", ".zip", ".part"):
            (self._folder / f"{token}{suffix}").unlink(missing_ok=True)

    def file(self, token: str) -> Path:
        """Where its file is, once it is done."""
        return self._folder / f"{token}.zip"

    def part(self, token: str) -> Path:
        """Where its file is made."""
        path = self._folder / f"{token}.part"
        path.touch(mode=0o600)
        return path
