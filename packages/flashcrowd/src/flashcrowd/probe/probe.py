"""Looks at the target every half a second while the load is on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from flashcrowd.probe.fetch import Page, fetch
from flashcrowd.probe.page import Unreadable, read_page
from flashcrowd.probe.process import LocalProcess
from flashcrowd.samples import Process, Reading
from seawall import ThreadPool

EVERY_S = 0.5
"""Twice a second shows each second of a time line, at some 2 ms of the target's time a second."""

TIMEOUT_S = 5.0
"""A target that takes longer for a look tells enough by that."""

WELL_KNOWN = ("/seawall/snapshot", "/ops/snapshot", "/metrics")
"""Where a target is asked that was not said to tell elsewhere: Seawall's console, Turnout, everybody's metrics."""

LIGHT = "/favicon.ico"
"""Asked where the target tells nothing, for how long it takes: nearly no work, whatever the answer."""

MAX_READINGS = 100_000


class Probe:
    """Takes readings of a target, by the run's clock, into `readings`.

    `snapshot` is an address, whole or below the target's; without one the well-known ones are tried. `key` is sent as
    a bearer token to that address and to no redirect. Where the target is on this machine, its process is read too.
    Every look has a thread that it waits in, so the event loop of the load has no part in it. What can't be read is told
    to `tell`, once each; the run goes on.
    """

    def __init__(
        self,
        target: str,
        *,
        now: Callable[[], float],
        tell: Callable[[str], None],
        snapshot: str = "",
        key: str = "",
        every_s: float = EVERY_S,
    ) -> None:
        self.readings: list[Reading] = []
        """In the order of their instants; at most 100,000."""
        self._target = target
        self._now, self._tell, self._every_s = now, tell, every_s
        self._key, self._told = key, set[str]()
        self._addresses = [urljoin(target, path) for path in ([snapshot] if snapshot else WELL_KNOWN)]
        self._is_given = bool(snapshot)
        self._address = ""  # the one that is asked, once found
        self._threads = ThreadPool("flashcrowd-probe", max_threads=2, queue_limit=16)
        self._process: LocalProcess | None = None

    async def find(self) -> str:
        """Find out what there is to read. Returns it in words, for the one who waits; empty where there is nothing."""
        split = urlsplit(self._target)
        if _is_this_machine(split.hostname or ""):
            port = split.port or (443 if split.scheme == "https" else 80)
            self._process = await self._threads.run(LocalProcess, port)
        for address in self._addresses:
            if await self._is_readable(address):
                self._address = address
                break
        found = [self._address] if self._address else []
        return " and ".join([*found, *(["its process"] if self._process and self._process.is_there else [])])

    async def run(self) -> None:
        """Take readings until cancelled. Call `find` before."""
        look: asyncio.Task[None] | None = None
        try:
            while len(self.readings) < MAX_READINGS:
                if look is None or look.done():
                    look = asyncio.create_task(self._look())
                else:  # the last one is not answered yet
                    self.readings.append(Reading(self._now(), process=await self._read_process()))
                await asyncio.sleep(self._every_s)
        finally:
            if look is not None:
                look.cancel()
                await asyncio.gather(look, return_exceptions=True)

    def close(self) -> None:
        """End its threads once they are done. Does not wait."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _is_readable(self, address: str) -> bool:
        try:
            page, _, _ = await self._get(address)
            read_page(page)
        except (OSError, Unreadable) as error:
            if self._is_given or "key" in str(error):
                self._tell_once(f"snapshot {address}: {error}")
            return False
        return True

    async def _look(self) -> None:
        process, asked_s = await self._read_process(), self._now()
        try:
            page, asked_s, answered_s = await self._get(self._address or urljoin(self._target, LIGHT))
            resources, told = read_page(page) if self._address else ((), Process())
        except (OSError, Unreadable) as error:
            if self._address:
                self._tell_once(f"snapshot {self._address}: {error}")
            # Not to be answered in time is a figure; to be answered wrongly is none.
            late_s = self._now() - asked_s if isinstance(error, TimeoutError) else None
            self.readings.append(Reading(self._now(), process=process, answered_in_s=late_s))
            return
        self.readings.append(Reading(answered_s, resources, _both(process, told), answered_s - asked_s))

    async def _get(self, address: str) -> tuple[Page, float, float]:
        return await self._threads.run(self._get_timed, address, self._key if address in self._addresses else "")

    def _get_timed(self, address: str, key: str) -> tuple[Page, float, float]:
        """The page, and the instants of asking and of its end, by the thread that waits: no event loop delays them."""
        asked_s = self._now()
        page = fetch(address, key, TIMEOUT_S)
        return page, asked_s, self._now()

    async def _read_process(self) -> Process:
        return await self._threads.run(self._process.read) if self._process else Process()

    def _tell_once(self, problem: str) -> None:
        if problem not in self._told and len(self._told) < 20:
            self._told.add(problem)
            self._tell(problem)


def _both(seen: Process, told: Process) -> Process:
    """What the system says of the process, and what only itself can say."""
    if seen.cpu_s_total is None:
        return told
    return replace(seen, loop_lag_s=told.loop_lag_s)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
