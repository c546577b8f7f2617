"""The invented company whose year the demo tells: its pages, who sends people there, and where they come from.

Weights are relative within a table. All of it is invented, after the usual shape of such traffic: direct and search
ahead of all else, a long tail of pages, two thirds on desktop.
"""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """Where a visit comes from."""

    weight: float
    referrer: str
    query: str = ""


class Country(NamedTuple):
    """Where a visitor is. `hour` is how far ahead of UTC its people live, and so when they are awake."""

    weight: float
    code: str
    hour: float
    language: str


class Client(NamedTuple):
    """What a visitor browses with."""

    weight: float
    user_agent: str


SOURCES = (
    Source(31, ""),
    Source(27, "https://www.google.com/"),
    Source(6, "https://news.ycombinator.com/"),
    Source(5, "https://github.com/"),
    Source(4, "https://duckduckgo.com/"),
    Source(3.4, "https://www.bing.com/"),
    Source(3, "https://www.reddit.com/"),
    Source(2.6, "https://t.co/"),
    Source(2.4, "https://www.linkedin.com/"),
    Source(2.2, "", "utm_source=newsletter&utm_medium=email&utm_campaign=monthly"),
    Source(1.6, "https://www.youtube.com/"),
    Source(1.5, "https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=analytics-eu"),
    Source(1.2, "https://lobste.rs/"),
    Source(1.1, "https://dev.to/"),
    Source(1.0, "https://chatgpt.com/"),
    Source(0.9, "https://stackoverflow.com/"),
    Source(0.8, "https://www.ecosia.org/"),
    Source(0.6, "https://mastodon.social/"),
)

LAUNCH_SOURCES = (
    Source(58, "https://news.ycombinator.com/"),
    Source(14, ""),
    Source(9, "https://www.reddit.com/"),
    Source(8, "https://t.co/"),
    Source(6, "https://lobste.rs/"),
    Source(5, "https://www.producthunt.com/"),
)

COUNTRIES = (
    Country(24, "US", -6, "en"),
    Country(15, "DE", 1, "de"),
    Country(9, "GB", 0, "en"),
    Country(7, "FR", 1, "fr"),
    Country(7, "IN", 5.5, "en"),
    Country(4.4, "NL", 1, "nl"),
    Country(4, "CA", -6, "en"),
    Country(3.4, "BR", -3, "pt"),
    Country(3, "ES", 1, "es"),
    Country(3, "PL", 1, "pl"),
    Country(2.6, "AU", 10, "en"),
    Country(2.4, "JP", 9, "ja"),
    Country(2.2, "IT", 1, "it"),
    Country(2.2, "SE", 1, "sv"),
    Country(2, "CH", 1, "de"),
    Country(1.6, "AT", 1, "de"),
    Country(1.4, "SG", 8, "en"),
    Country(1.2, "NO", 1, "no"),
    Country(1.2, "KR", 9, "ko"),
    Country(1, "ZA", 2, "en"),
    Country(0.9, "MX", -6, "es"),
    Country(0.8, "NZ", 12, "en"),
)

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64"
_CHROME = ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
_FIREFOX = "; rv:132.0) Gecko/20100101 Firefox/132.0"
_WEBKIT = " like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
_ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"

CLIENTS = (
    Client(27, _WINDOWS + _CHROME),
    Client(15, _MAC + _CHROME),
    Client(9, _WINDOWS + _FIREFOX),
    Client(6, _LINUX + _FIREFOX),
    Client(9, _MAC + ") AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"),
    Client(14, f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0{_WEBKIT} Mobile/15E148 Safari/604.1"),
    Client(13, f"{_ANDROID} Chrome/130.0.0.0 Mobile Safari/537.36"),
    Client(4, f"{_WINDOWS}{_CHROME} Edg/130.0.0.0"),
    Client(2, f"{_ANDROID} SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36"),
    Client(1, f"Mozilla/5.0 (iPad; CPU OS 17_6{_WEBKIT} Mobile/15E148 Safari/604.1"),
)

ENTRY_PAGES: tuple[tuple[float, str], ...] = (
    (38, "/"),
    (11, "/blog/how-we-hold-the-crowd"),
    (8, "/pricing"),
    (8, "/docs/start"),
    (6, "/blog/locks-in-python"),
    (5, "/docs/install"),
    (5, "/features"),
    (4, "/blog/the-outage"),
    (4, "/docs/api"),
    (3, "/compare"),
    (3, "/blog"),
    (3, "/about"),
    (2, "/changelog"),
)

NEXT_PAGES: tuple[tuple[float, str], ...] = (
    (17, "/pricing"),
    (15, "/features"),
    (13, "/docs/start"),
    (10, "/"),
    (9, "/docs/install"),
    (7, "/docs/api"),
    (6, "/signup"),
    (5, "/blog"),
    (5, "/compare"),
    (4, "/about"),
    (4, "/changelog"),
    (3, "/customers"),
    (2, "/contact"),
)

LAUNCH_PAGE = "/launch"
SIGNUP_PAGE = "/signup"
PLANS: tuple[tuple[float, str, str], ...] = ((70, "free", "0"), (22, "team", "19"), (8, "business", "79"))

# Share of a visitor's day by the hour of his own clock: quiet at night, a dip at lunch, a second wave in the evening.
HOURS = (
    0.5,
    0.3,
    0.2,
    0.2,
    0.2,
    0.4,
    0.9,
    1.9,
    3.2,
    4.4,
    4.9,
    4.7,
    4.0,
    4.4,
    4.8,
    4.7,
    4.3,
    3.7,
    3.0,
    2.8,
    2.8,
    2.5,
    1.8,
    1.0,
)
WEEKDAYS = (1.10, 1.18, 1.16, 1.12, 0.98, 0.62, 0.64)
