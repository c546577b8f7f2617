"""One event's walk, step by step: find its sites, screen it, enrich it, and put it into the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from seawall.clock import SYSTEM_CLOCK, Clock
from turnout.errors import BadInput
from turnout.ingest.enrich import enrich
from turnout.ingest.location import split_url
from turnout.ingest.place import Places
from turnout.ingest.screen import DropReason, screen
from turnout.ingest.source import source_of
from turnout.ingest.useragent import agent_of
from turnout.ingest.visitor import Salts
from turnout.model.event import Event, Incoming, Sender
from turnout.model.site import Site


class Accepted(msgspec.Struct, frozen=True):
    """How it went: sites for which the event is now durable, and those for which it was dropped, by reason."""

    stored: int
    dropped: Mapping[DropReason, int]


NOTHING_DROPPED: Mapping[DropReason, int] = {}


class Pipeline:
    """The steps with what they need. For one event loop.

    `find_site` answers from memory; `put` returns when the events given are durable, all or none.
    """

    def __init__(
        self,
        find_site: Callable[[str], Site | None],
        put: Callable[[Sequence[Event]], Awaitable[None]],
        *,
        salts: Salts,
        places: Places,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._find_site = find_site
        self._put = put
        self._salts = salts
        self._places = places
        self._clock = clock
        self.accepted_total = 0
        self.dropped_total: Counter[DropReason] = Counter()

    async def accept(self, incoming: Incoming, sender: Sender) -> Accepted:
        """Take one event for all its sites; returns when it is durable, or dropped for every site.

        Raises `BadInput` naming the field, and what `put` raises: nothing is stored then.
        """
        events, dropped = self.prepare(incoming, sender)
        if events:
            await self._put(events)
            self.accepted_total += len(events)
        if dropped:
            self.dropped_total.update(dropped)
        return Accepted(len(events), dropped)

    def prepare(self, incoming: Incoming, sender: Sender) -> tuple[list[Event], Mapping[DropReason, int]]:
        """Everything before the journal: the events to store, and how many sites' were dropped, by reason."""
        if not sender.user_agent:
            raise BadInput("user_agent", "the header User-Agent is required and must not be blank")
        url = split_url(incoming.url)
        sites = [site for domain in incoming.domains if (site := self._find_site(domain)) is not None]
        if not sites:
            raise BadInput("domain", f"no site is named {', '.join(incoming.domains)[:300]}; create it first")
        agent = agent_of(sender.user_agent)
        reason = screen(agent, incoming.referrer)
        if reason is not None:
            return [], {reason: len(incoming.domains)}
        unknown = len(incoming.domains) - len(sites)
        at_ms = int(self._clock.time() * 1000)
        place = self._places.of(sender.address)
        source = source_of(url, incoming.referrer)
        events = [
            enrich(
                incoming,
                sender,
                site,
                at_ms,
                url=url,
                agent=agent,
                place=place,
                source=source,
                salt_of=self._salts.salt,
            )
            for site in sites
        ]
        return events, {DropReason.UNKNOWN_SITE: unknown} if unknown else NOTHING_DROPPED
