"""An event as it travels: decoded, enriched, and stored with its visit."""

from __future__ import annotations

import msgspec

PAGEVIEW = "pageview"
ENGAGEMENT = "engagement"


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a tracker sent it, validated, before anything is known of its sender.

    What `ingest/decode.py` returns.
    """

    name: str
    url: str
    domains: tuple[str, ...]
    referrer: str = ""
    props: dict[str, str] = {}
    interactive: bool = True
    revenue_amount: str | None = None
    revenue_currency: str | None = None
    scroll_depth: int | None = None
    engaged_ms: int | None = None
    hash_mode: bool = False


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent it, as far as HTTP tells. `address` goes no further than `ingest/enrich.py`."""

    address: str
    user_agent: str
    language: str = ""


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One enriched event, for one site. What the journal keeps; its fields are positional there: only append.

    Texts that are not known are empty. Times are milliseconds since 1970-01-01: `at_ms` in UTC, `local_ms` the
    site's wall clock at that instant read as if it were UTC. `visitor` is an unsigned 64-bit hash that lives for
    one local day.
    """

    site_id: int
    at_ms: int
    local_ms: int
    visitor: int
    name: str
    interactive: bool
    hostname: str
    page: str
    referrer: str
    source: str
    channel: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str
    utm_term: str
    country: str
    region: str
    city: str
    device: str
    browser: str
    browser_version: str
    os: str
    os_version: str
    language: str
    props: dict[str, str]
    revenue_amount: str | None
    revenue_currency: str | None
    scroll_depth: int | None
    engaged_ms: int | None


class VisitFacts(msgspec.Struct, frozen=True, gc=False):
    """What a visit took from its first event. Every event row of the visit repeats it, so no query has to join."""

    visit_id: int
    started_ms: int
    started_local_ms: int
    entry_page: str
    referrer: str
    source: str
    channel: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str
    utm_term: str
    country: str
    region: str
    city: str
    device: str
    browser: str
    browser_version: str
    os: str
    os_version: str
    language: str


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """An event with its journal position and its visit: one row of the event store.

    The deltas make every visit metric a sum over rows: over the rows of one visit, `visit_delta` adds up to 1,
    `bounce_delta` to 1 where the visit is a bounce and else to 0, `duration_delta_ms` to its duration (0 for a bounce).
    `visit` is None for an engagement event outside any open visit; it is kept and counts nowhere.
    """

    position: int
    event: Event
    visit: VisitFacts | None
    visit_delta: int
    bounce_delta: int
    duration_delta_ms: int
