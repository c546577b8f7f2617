"""Exports, built in the background: one at a time, in the order in which they were asked for, and after everybody else."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from seawall import Mutex, Overloaded, Stop, ThreadPool
from seawall.clock import Clock
from turnout.errors import NotFound, StoreUnavailable, TurnoutError
from turnout.jobs.export_shelf import TOKEN_BYTES, Export, ExportShelf, Kind, State
from turnout.jobs.giving_way import Bustle, give_way_async
from turnout.model.site import Site, SiteId

_LOG = logging.getLogger("turnout.exports")

WAITING = 100
WAITING_OF_A_SITE = 10
KEPT = 500
"""Exports that are known at once, their files with them."""
KEPT_S = 24 * 3600.0
"""A file is there for a day after it was made."""
FRESH_S = 60.0
"""Who asks for the same again within this long after it was made gets the same file."""
TIDY_S = 60.0
LOOK_S = 0.2
MB = 1024 * 1024


class Going(NamedTuple):
    """What a builder is told, and tells, while it goes on."""

    pause: Callable[[], Awaitable[None]]
    """To be awaited between any two pieces: gives way to everybody else."""
    tell: Callable[[int, int], None]
    """So many pieces of so many are done."""
    most_bytes: int
    """A file may not be larger."""


class Build(Protocol):
    """What makes the file."""

    async def __call__(self, export: Export, file: Path, going: Going) -> str:
        """Writes `file`, and returns by which name it is saved. Raises `TurnoutError` with words for whoever asked."""
        ...


class Standing(NamedTuple):
    """How an export stands. `place` counts from 1, for one that waits; `done` of `total` pieces of one that is built."""

    export: Export
    place: int | None
    done: int
    total: int


class Exports:
    """What was asked for and what became of it. Give `run` to a `seawall.Worker`, which `on_ask` is to wake.

    A server that is stopped, or killed, builds what was not done from the beginning after the next start.
    """

    def __init__(
        self, folder: Path, build: Build, *, threads: ThreadPool, clock: Clock, bustle: Bustle, most_mb: int
    ) -> None:
        """`most_mb`: all files together; the oldest goes first, and a single one may not be larger either."""
        self._shelf = ExportShelf(folder)
        self._build = build
        self._threads = threads
        self._clock = clock
        self.bustle = bustle
        self._most_bytes = most_mb * MB
        self._mutex = Mutex("exports")
        self._exports = {export.token: export for export in self._shelf.load()}  # guarded by self._mutex, as all below
        self._progress: tuple[str, int, int] = ("", 0, 0)
        self._cancelled: set[str] = set()
        self.on_ask: Callable[[], None] = lambda: None

    async def ask(self, site: Site, kind: Kind, question: str, asked_by: str) -> Export:
        """Puts it in line; or finds the same, where whoever asks has just done so.

        Raises `Overloaded` where too many wait, `StoreUnavailable` where it can't be noted.
        """
        return await self._threads.run(self._ask, site, kind, question, asked_by)

    def find(self, token: str, site_id: SiteId) -> Standing:
        """How one of a site's stands. Does not block. Raises `NotFound`."""
        with self._mutex:
            export = self._exports.get(token)
            if export is None or export.site_id != site_id:
                raise NotFound("there is no such export; files are kept for a day")
            before = [one for one in self._exports.values() if one.state in ("waiting", "building")]
            place = before.index(export) + 1 if export.state == "waiting" else None
            done, total = self._progress[1:] if self._progress[0] == token else (0, 0)
        return Standing(export, place, done, total)

    def domain_of(self, token: str) -> str:
        """Of which site it is. Does not block. Raises `NotFound`."""
        with self._mutex:
            export = self._exports.get(token)
        if export is None:
            raise NotFound("there is no such export; files are kept for a day")
        return export.domain

    def file(self, export: Export) -> Path:
        """Its file. Raises `NotFound` where there is none."""
        path = self._shelf.file(export.token)
        if export.state != "done" or not path.exists():
            raise NotFound("there is no file of this export")
        return path

    async def cancel(self, token: str, site_id: SiteId) -> None:
        """Ends it, or deletes its file. Raises `NotFound`."""
        await self._threads.run(self._cancel, token, site_id)

    def waiting(self) -> int:
        """How many wait or are being built. Does not block."""
        with self._mutex:
            return sum(not export.is_over for export in self._exports.values())

    def _ask(self, site: Site, kind: Kind, question: str, asked_by: str) -> Export:
        fresh = Export(
            token=secrets.token_urlsafe(TOKEN_BYTES),
            site_id=site.id,
            domain=site.domain,
            kind=kind,
            question=question,
            asked_by=asked_by,
            asked_s=self._clock.time(),
        )
        with self._mutex:
            for export in self._exports.values():
                if self._is_the_same(export, fresh):
                    return export
            waiting = [export for export in self._exports.values() if export.state == "waiting"]
            of_site = sum(export.site_id == site.id for export in waiting)
            if len(waiting) >= WAITING or of_site >= WAITING_OF_A_SITE or len(self._exports) >= KEPT:
                raise Overloaded("full", 60.0)
            self._exports[fresh.token] = fresh
        try:
            self._shelf.save(fresh)
        except StoreUnavailable:
            with self._mutex:
                self._exports.pop(fresh.token, None)
            raise
        self.on_ask()
        return fresh

    def _cancel(self, token: str, site_id: SiteId) -> None:
        with self._mutex:
            export = self._exports.get(token)
            if export is None or export.site_id != site_id:
                raise NotFound("there is no such export")
            if export.state == "building":
                self._cancelled.add(token)  # the worker sees to it
                return
            if export.state != "waiting":
                del self._exports[token]
            else:
                self._exports[token] = export = self._ended(export, "cancelled", "It was cancelled.")
        if export.state == "cancelled":
            self._shelf.save(export)
        else:
            self._shelf.remove(token)

    # The worker.

    def run(self, stop: Stop) -> None:
        """Builds what is asked for, and deletes what is old, until `stop`."""
        while not stop.is_set():
            self._tidy()
            export = self._next()
            if export is None:
                if stop.wait(timeout_s=TIDY_S):
                    return
                continue
            asyncio.run(self._carry_out(export, stop))

    def _next(self) -> Export | None:
        with self._mutex:
            export = next((one for one in self._exports.values() if one.state == "waiting"), None)
            if export is not None:
                export = self._exports[export.token] = msgspec.structs.replace(export, state="building")
                self._progress = (export.token, 0, 0)
        return export

    async def _carry_out(self, export: Export, stop: Stop) -> None:
        part = self._shelf.part(export.token)
        task = asyncio.create_task(self._file_of(export, part))
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_S)
            with self._mutex:
                is_cancelled = export.token in self._cancelled
            if stop.is_set() or is_cancelled:
                task.cancel()
        if task.cancelled() and stop.is_set():
            return  # what is put down says that it waits: it is begun anew after the next start
        if task.cancelled():
            over = self._ended(export, "cancelled", "It was cancelled.")
        elif (error := task.exception()) is not None:
            over = self._ended(export, "failed", _words(export, error))
        else:
            size_bytes = part.stat().st_size
            part.replace(self._shelf.file(export.token))
            done = self._ended(export, "done", "")
            over = msgspec.structs.replace(done, name=task.result(), size_bytes=size_bytes)
        part.unlink(missing_ok=True)
        with self._mutex:
            self._exports[export.token] = over
            self._cancelled.discard(export.token)
        self._shelf.save(over)

    async def _file_of(self, export: Export, part: Path) -> str:
        async def pause() -> None:
            await asyncio.sleep(0)
            await give_way_async(self.bustle)

        def tell(done: int, total: int) -> None:
            self._progress = (export.token, done, total)

        return await self._build(export, part, Going(pause, tell, self._most_bytes))

    def _tidy(self) -> None:
        """Deletes what is older than a day, and the oldest until all fit."""
        until_s = self._clock.time() - KEPT_S
        with self._mutex:
            over = sorted((one for one in self._exports.values() if one.is_over), key=lambda one: one.ended_s)
            size_bytes = sum(export.size_bytes for export in over)
            gone = []
            while over and (over[0].ended_s < until_s or size_bytes > self._most_bytes or len(over) > KEPT - WAITING):
                gone.append(over.pop(0))
                size_bytes -= gone[-1].size_bytes
                del self._exports[gone[-1].token]
        for export in gone:
            self._shelf.remove(export.token)

    def _is_the_same(self, there: Export, asked: Export) -> bool:
        if (there.site_id, there.kind, there.question, there.asked_by) != (
            asked.site_id,
            asked.kind,
            asked.question,
            asked.asked_by,
        ):
            return False
        return not there.is_over or (there.state == "done" and asked.asked_s - there.ended_s < FRESH_S)

    def _ended(self, export: Export, state: State, why: str) -> Export:
        return msgspec.structs.replace(export, state=state, why=why, ended_s=self._clock.time())


def _words(export: Export, error: BaseException) -> str:
    if isinstance(error, TurnoutError | Overloaded):
        return str(error)
    _LOG.error("the export %s of %s failed", export.token[:6], export.domain, exc_info=error)
    return "That was our mistake. It is in the server’s log."
