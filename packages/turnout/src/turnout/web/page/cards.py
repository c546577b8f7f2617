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
PROPERTY = "event:props:"

OF_VISITS = ("visitors", "visits", "pageviews", "bounce_rate", "visit_duration")
OF_PAGES = ("visitors", "pageviews")
OF_EVENTS = ("visitors", "events")


class Tab(msgspec.Struct, frozen=True):
    """One view of a card: what it lists.

    `group`: the name it shares with others, which stand in a second row. `needs_cities`: only of use with a city
    database. `metrics`: the columns of its details that answers can be sorted by.
    """

    id: str
    label: str
    column: str
    dimensions: tuple[str, ...]
    group: str = ""
    needs_cities: bool = False
    metrics: tuple[str, ...] = OF_VISITS


class Card(msgspec.Struct, frozen=True):
    """A list of the most frequent values. `default` is the tab that is shown where none was chosen."""

    id: str
    title: str
    default: str
    tabs: tuple[Tab, ...]


CARDS = (
    Card(
        "sources",
        "Sources",
        "source",
        (
            Tab("source", "Source", "Source", ("visit:source",)),
            Tab("channel", "Channel", "Channel", ("visit:channel",)),
            Tab("referrer", "Referrer", "Referrer", ("visit:referrer",)),
            Tab("campaign", "Campaign", "UTM campaign", ("visit:utm_campaign",), "Campaigns"),
            Tab("utm_source", "Source", "UTM source", ("visit:utm_source",), "Campaigns"),
            Tab("medium", "Medium", "UTM medium", ("visit:utm_medium",), "Campaigns"),
            Tab("content", "Content", "UTM content", ("visit:utm_content",), "Campaigns"),
            Tab("term", "Term", "UTM term", ("visit:utm_term",), "Campaigns"),
        ),
    ),
    Card(
        "pages",
        "Pages",
        "top",
        (
            Tab("top", "Top", "Page", ("event:page",), metrics=OF_PAGES),
            Tab("entry", "Entry", "Entry page", ("visit:entry_page",)),
            Tab("exit", "Exit", "Exit page", ("visit:exit_page",)),
            Tab("host", "Hosts", "Host", ("event:hostname",), metrics=OF_PAGES),
        ),
    ),
    Card(
        "locations",
        "Locations",
        "country",
        (
            Tab("map", "Map", "Country", ("visit:country",)),
            Tab("country", "Countries", "Country", ("visit:country",)),
            Tab("region", "Regions", "Region", ("visit:region",), needs_cities=True),
            Tab("city", "Cities", "City", ("visit:city",), needs_cities=True),
        ),
    ),
    Card(
        "devices",
        "Devices",
        "browser",
        (
            Tab("browser", "Browsers", "Browser", ("visit:browser",), "Browsers"),
            Tab("browser_version", "Versions", "Browser", ("visit:browser", "visit:browser_version"), "Browsers"),
            Tab("os", "Systems", "System", ("visit:os",), "Systems"),
            Tab("os_version", "Versions", "System", ("visit:os", "visit:os_version"), "Systems"),
            Tab("device", "Sizes", "Size", ("visit:device",)),
        ),
    ),
    Card("events", "Events", "event", (Tab("event", "Events", "Event", ("event:name",), metrics=OF_EVENTS),)),
)
CARDS_BY_ID = {card.id: card for card in CARDS}

FILTER_GROUPS = (
    (
        "Page",
        {
            "event:page": "Page",
            "visit:entry_page": "Entry page",
            "visit:exit_page": "Exit page",
            "event:hostname": "Host",
        },
    ),
    ("Source", {"visit:source": "Source", "visit:channel": "Channel", "visit:referrer": "Referrer"}),
    ("Location", {"visit:country": "Country", "visit:region": "Region", "visit:city": "City"}),
    (
        "Device",
        {
            "visit:browser": "Browser",
            "visit:browser_version": "Browser version",
            "visit:os": "System",
            "visit:os_version": "System version",
            "visit:device": "Device",
        },
    ),
    (
        "Campaign",
        {
            "visit:utm_source": "UTM source",
            "visit:utm_medium": "UTM medium",
            "visit:utm_campaign": "Campaign",
            "visit:utm_content": "UTM content",
            "visit:utm_term": "UTM term",
        },
    ),
    ("Event", {"event:name": "Event", PROPERTY: "Property …"}),
)
"""What a page may be filtered by, as the filter form lists it. `event:props:` stands for a property named beside it."""

FILTER_DIMENSIONS = {name: label for _, group in FILTER_GROUPS for name, label in group.items() if name != PROPERTY}
"""The same without the groups; `event:props:NAME` is allowed as well."""


def dimension_words(dimension: str) -> str:
    """A dimension's name in the filter form; a property's own."""
    return FILTER_DIMENSIONS.get(dimension) or dimension.removeprefix(PROPERTY)
