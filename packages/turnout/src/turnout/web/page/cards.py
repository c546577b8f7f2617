"""The cards of a site's page and what may be filtered by: names only, no numbers."""

from __future__ import annotations

from typing import Literal

import msgspec

Operator = Literal["is", "is_not", "contains", "contains_not"]
OPERATORS: dict[str, Operator] = {
    "is": "is",
    "is_not": "is_not",
    "contains": "contains",
    "contains_not": "contains_not",
}
OPERATOR_WORDS = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "contains_not": "does not contain",
}


class Tab(msgspec.Struct, frozen=True):
    """One view of a card: a dimension. `needs_cities`: only of use with a city database."""

    id: str
    label: str
    dimension: str
    needs_cities: bool = False


class Card(msgspec.Struct, frozen=True):
    """A list of the most frequent values. Its first tab is the default."""

    id: str
    title: str
    tabs: tuple[Tab, ...]


CARDS = (
    Card(
        "sources",
        "Sources",
        (
            Tab("source", "Source", "visit:source"),
            Tab("channel", "Channel", "visit:channel"),
            Tab("campaign", "Campaign", "visit:utm_campaign"),
            Tab("medium", "Medium", "visit:utm_medium"),
            Tab("referrer", "Referrer", "visit:referrer"),
        ),
    ),
    Card(
        "pages",
        "Pages",
        (
            Tab("top", "Top", "event:page"),
            Tab("entry", "Entry", "visit:entry_page"),
            Tab("exit", "Exit", "visit:exit_page"),
            Tab("event", "Events", "event:name"),
        ),
    ),
    Card(
        "locations",
        "Locations",
        (
            Tab("country", "Countries", "visit:country"),
            Tab("region", "Regions", "visit:region", needs_cities=True),
            Tab("city", "Cities", "visit:city", needs_cities=True),
        ),
    ),
    Card(
        "devices",
        "Devices",
        (
            Tab("browser", "Browsers", "visit:browser"),
            Tab("os", "Systems", "visit:os"),
            Tab("device", "Sizes", "visit:device"),
        ),
    ),
)

FILTER_DIMENSIONS = {
    "event:page": "Page",
    "visit:entry_page": "Entry page",
    "visit:exit_page": "Exit page",
    "visit:source": "Source",
    "visit:channel": "Channel",
    "visit:referrer": "Referrer",
    "visit:country": "Country",
    "visit:region": "Region",
    "visit:city": "City",
    "visit:browser": "Browser",
    "visit:browser_version": "Browser version",
    "visit:os": "System",
    "visit:os_version": "System version",
    "visit:device": "Device",
    "visit:utm_source": "UTM source",
    "visit:utm_medium": "UTM medium",
    "visit:utm_campaign": "Campaign",
    "visit:utm_content": "UTM content",
    "visit:utm_term": "UTM term",
    "event:hostname": "Host",
    "event:name": "Event",
}
"""Dimensions a page may be filtered by, with their names in the filter form; `event:props:NAME` is allowed as well."""
