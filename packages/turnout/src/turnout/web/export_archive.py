"""A zip file in the making, and what is said of the files in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from turnout.errors import TooLarge
from turnout.web.page.csv_file import about_rows
from turnout.web.page.state import Pairs


class Archive:
    """For a `with` block, which closes it. Everything blocks, on the disk. Raises `TooLarge` beyond `most_bytes`."""

    def __init__(self, path: Path, made: datetime, most_bytes: int) -> None:
        self._path = path
        self._zip = ZipFile(path, "w", ZIP_DEFLATED)
        self._made = made
        self._most_bytes = most_bytes
        self._said: list[tuple[str, str]] = []

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add(self, name: str, content: bytes, rows: int, total: int = 0) -> None:
        """One file of so many rows, of `total` where that is more."""
        self._zip.writestr(self._info(name), content, ZIP_DEFLATED)
        cut = f", the first of {total:,}" if total > rows else ""
        self.say(name, f"{rows:,} rows{cut}")
        self.check_size()

    def open(self, name: str) -> IO[bytes]:
        """A file to write piece by piece; nothing else is added before it is closed."""
        return self._zip.open(self._info(name), "w", force_zip64=True)

    def say(self, name: str, what: str) -> None:
        """What `about.txt` says of a file."""
        self._said.append((name, what))

    def tell_about(self, facts: Pairs) -> None:
        """Adds `about.txt`: the facts, when it was made, and what was said of each file."""
        made = ("made", f"{self._made:%Y-%m-%d %H:%M}")
        self._zip.writestr(self._info("about.txt"), about_rows((*facts, made, *self._said)).encode(), ZIP_DEFLATED)

    def check_size(self) -> None:
        """Raises `TooLarge`."""
        if self._path.stat().st_size > self._most_bytes:
            limit_mb = self._most_bytes // (1024 * 1024)
            raise TooLarge("", f"the file would be larger than {limit_mb:,} MB; ask for fewer days")

    def _info(self, name: str) -> ZipInfo:
        made = self._made
        info = ZipInfo(name, (made.year, made.month, made.day, made.hour, made.minute, made.second))
        info.compress_type = ZIP_DEFLATED
        return info
