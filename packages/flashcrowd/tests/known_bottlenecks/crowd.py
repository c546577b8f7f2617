"""A small open crowd: it comes whether or not the service keeps up, and writes down when. Stands in for Flashcrowd's own."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from flashcrowd.samples import Outcome, Sample

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, and whether its connection can be used again."""

    status: int
    timing: str
    first_byte_s: float


class Crowd:
    """Sends GET requests to one address at the instants of a Poisson process, over as many connections as it takes."""

    def __init__(self, url: str, seed: int) -> None:
        split = urlsplit(url)
        self._host, self._port = split.hostname or "", split.port or 80
        self._dice = random.Random(seed)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.timings: dict[Sample, str] = {}
        """What each answer had in its `Server-Timing`, as it came."""

    async def come(self, rate_per_s: float, for_s: float) -> list[Sample]:
        """One level: requests at `rate_per_s` for `for_s` seconds, awaited to the last answer."""
        began_s, at_s, due = time.perf_counter(), 0.0, []
        while (at_s := at_s + self._dice.expovariate(rate_per_s)) < for_s:
            due.append(began_s + at_s)
        return await asyncio.gather(*map(self._visit, due))

    async def close(self) -> None:
        """Close the connections."""
        for _, writer in self._idle:
            writer.close()

    async def _visit(self, intended_s: float) -> Sample:
        await asyncio.sleep(intended_s - time.perf_counter())
        sent_s, answer, outcome = time.perf_counter(), None, "broken"
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._ask("/")
                outcome = "good" if answer.status == 200 else "refused" if answer.status in (429, 503) else "wrong"
        except TimeoutError:
            outcome = "timed_out"
        except (OSError, asyncio.IncompleteReadError):
            pass
        return self._sample(intended_s, sent_s, answer, outcome)

    def _sample(self, intended_s: float, sent_s: float, answer: Answer | None, outcome: Outcome) -> Sample:
        first_byte_s, status = (answer.first_byte_s, answer.status) if answer else (None, 0)
        sample = Sample("/", intended_s, sent_s, first_byte_s, time.perf_counter(), status, outcome)
        if answer and answer.timing:
            self.timings[sample] = answer.timing
        return sample

    async def _ask(self, path: str) -> Answer:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first_byte_s = time.perf_counter()
            lines = head.split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            await reader.readexactly(int(fields["content-length"]))
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return Answer(int(lines[0].split()[1]), fields.get("server-timing", ""), first_byte_s)
