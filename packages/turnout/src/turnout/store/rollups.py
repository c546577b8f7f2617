"""What is summed up of a derived day, and under which names: what the deriver writes and the planner reads.

A row is of a site, a local day, a dimension and one of its values, with sums over the day: *seen* (visitors, pageviews,
events) over the events that have the value, *begun* (visits, bounces, duration_ms, visit_pageviews) over the visits that
have it. Visitors' hashes and visits live within one local day, so each of these adds up over days.
"""

from __future__ import annotations

from turnout.model.words import DIRECT, NOT_SET

TOTAL = ""
"""The dimension of the whole day; its one value is empty."""

HOUR = "hour"
"""The wall clock's hours, `0` to `23`. An hour's visitors do not add up to a day's."""

OF_VISITS: dict[str, str] = {
    "entry_page": "",
    "exit_page": "",
    "source": DIRECT,
    "channel": NOT_SET,
    "referrer": DIRECT,
    "utm_source": NOT_SET,
    "utm_medium": NOT_SET,
    "utm_campaign": NOT_SET,
    "utm_content": NOT_SET,
    "utm_term": NOT_SET,
    "country": "",
    "region": NOT_SET,
    "city": NOT_SET,
    "device": NOT_SET,
    "browser": NOT_SET,
    "browser_version": NOT_SET,
    "os": NOT_SET,
    "os_version": NOT_SET,
}
"""Columns of visits that are summed up by value, and the word under which an empty value counts.

It counts under the word since the word may be sent as a value, too, and both are one to an answer. A country is kept as
its code: names are given last.
"""

PAGE = "page"
"""Events by their page, visits by their entry page."""

OF_EVENTS = ("name", "hostname")
"""Columns of events that no visit has one value of: their begun sums are 0 and mean nothing."""

COLUMNS = frozenset({*OF_VISITS, PAGE, *OF_EVENTS})

VISITORS = "count(*) FILTER (is_only) + count(DISTINCT CASE WHEN NOT is_only THEN visitor END)"
"""The distinct visitors of rows of `visits`. Telling apart only those who can be there twice takes two thirds of the time."""
