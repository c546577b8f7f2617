"""From an `Incoming` and its sender to an `Event`: visitor, agent, place, source, local time. The address ends here."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from urllib.parse import SplitResult

from turnout.ingest.localtime import local_date, local_ms
from turnout.ingest.location import hostname_of, page_of
from turnout.ingest.place import Place
from turnout.ingest.source import Source
from turnout.ingest.useragent import Agent
from turnout.ingest.visitor import visitor_hash
from turnout.model.event import Event, Incoming, Sender
from turnout.model.site import Site


def enrich(
    incoming: Incoming,
    sender: Sender,
    site: Site,
    at_ms: int,
    *,
    url: SplitResult,
    agent: Agent,
    place: Place,
    source: Source,
    salt_of: Callable[[date], bytes],
) -> Event:
    """Make the event of one site. `salt_of` is asked for the salt of the site's local date."""
    local = local_ms(site.timezone, at_ms)
    return Event(
        site.id,
        at_ms,
        local,
        visitor_hash(salt_of(local_date(local)), site.id, sender.address, sender.user_agent),
        incoming.name,
        incoming.interactive,
        hostname_of(url),
        page_of(url, hash_mode=incoming.hash_mode),
        source.referrer,
        source.source,
        source.channel,
        source.utm_source,
        source.utm_medium,
        source.utm_campaign,
        source.utm_content,
        source.utm_term,
        place.country,
        place.region,
        place.city,
        agent.device,
        agent.browser,
        agent.browser_version,
        agent.os,
        agent.os_version,
        language_of(sender.language),
        incoming.props,
        incoming.revenue_amount,
        incoming.revenue_currency,
        incoming.scroll_depth,
        incoming.engaged_ms,
    )


def language_of(accept_language: str) -> str:
    """The first language of an Accept-Language header as `de` or `de-AT`; empty where there is none."""
    match = _LANGUAGE.match(accept_language)
    if match is None:
        return ""
    language, region = match.groups()
    return language.lower() if region is None else f"{language.lower()}-{region.upper()}"


_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?:-[A-Za-z]{4})?(?:-([A-Za-z]{2}|\d{3}))?(?=$|[-,;\s])")
