"""Visitors of the demo who are there now: they come through the same pipeline as everybody's events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import TypeVar

from seawall import SeawallError
from turnout.errors import TurnoutError
from turnout.jobs import demo_world as world
from turnout.model.event import PAGEVIEW, Incoming, Sender

W = TypeVar("W", world.Source, world.Client)
Accept = Callable[[Incoming, Sender], Awaitable[object]]

VISITS_PER_S = 0.4
MOST_VISITORS = 200
"""Visitors at once; more are not let in, so that a slow server is not buried by its own demo."""


class LiveTraffic:
    """A steady trickle of visits to `domain`. `run` goes on until it is cancelled; its visitors then leave at once."""

    def __init__(self, accept: Accept, domain: str, seed: int | None = None) -> None:
        self._accept = accept
        self._domain = domain
        self._random = Random(seed)

    async def run(self) -> None:
        """Lets visitors come. One whose event is refused leaves; any other error ends all visits and is raised."""
        async with asyncio.TaskGroup() as visits:
            here: set[asyncio.Task[None]] = set()
            while True:
                if len(here) < MOST_VISITORS:
                    visit = visits.create_task(self._visit(), name=f"demo visitor of {self._domain}")
                    here.add(visit)
                    visit.add_done_callback(here.discard)
                await asyncio.sleep(self._random.expovariate(VISITS_PER_S))

    async def _visit(self) -> None:
        random = self._random
        sender = Sender(address=_address(random), user_agent=_some(random, world.CLIENTS).user_agent, language="en")
        source = _some(random, world.SOURCES)
        page = random.choices([page for _, page in world.ENTRY_PAGES], [weight for weight, _ in world.ENTRY_PAGES])[0]
        campaign = f"?{source.query}" if source.query else ""
        referrer = source.referrer
        while True:
            url = f"https://{self._domain}{page}{campaign}"
            incoming = Incoming(name=PAGEVIEW, url=url, domains=(self._domain,), referrer=referrer)
            try:
                await self._accept(incoming, sender)
            except (TurnoutError, SeawallError):
                return
            if random.random() < 0.45:
                return
            await asyncio.sleep(3 + random.expovariate(1 / 25))
            referrer, campaign = url, ""
            page = random.choices([page for _, page in world.NEXT_PAGES], [weight for weight, _ in world.NEXT_PAGES])[0]


def _some(random: Random, rows: Sequence[W]) -> W:
    return random.choices(rows, [row.weight for row in rows])[0]


def _address(random: Random) -> str:
    """Some public IPv4 address; which country it is in is the place table's to say."""
    return f"{random.choice((5, 31, 62, 77, 80, 91, 24, 50, 66, 73, 98, 101, 118, 177, 189))}." + ".".join(
        str(random.randrange(1, 255)) for _ in range(3)
    )
