"""What a User-Agent says: browser, operating system, device, and whether it is a bot. Cached, since few are new."""

from __future__ import annotations

import re
from functools import lru_cache

import crawleruseragents
import msgspec
import ua_parser

MAX_USER_AGENT = 1_024
"""Longer ones are cut before they are looked at: the longest real ones have some 400 characters."""

CACHED = 5_000
"""About 3 MB. A busy site sees some thousand different ones a day."""


class Agent(msgspec.Struct, frozen=True):
    """A user agent's parts; empty where it does not say. `device` is Desktop, Mobile or Tablet."""

    browser: str
    browser_version: str
    os: str
    os_version: str
    device: str
    is_bot: bool


def agent_of(user_agent: str) -> Agent:
    """Parse a User-Agent. Some 100 µs the first time, then the cache's; for any thread."""
    return _parsed(user_agent[:MAX_USER_AGENT])


@lru_cache(CACHED)
def _parsed(user_agent: str) -> Agent:
    found = ua_parser.parse(user_agent)
    browser, os, device = found.user_agent, found.os, found.device
    os_name = "" if os is None else _OS_NAMES.get(os.family, os.family)
    return Agent(
        browser="" if browser is None else _BROWSER_NAMES.get(browser.family, browser.family),
        browser_version="" if browser is None else _version(browser.major, browser.minor),
        os=os_name,
        os_version="" if os is None else _version(os.major, os.minor),
        device=_device(user_agent, os_name, "" if device is None else f"{device.family} {device.brand or ''}"),
        is_bot=crawleruseragents.is_crawler(user_agent) or _TOOL.match(user_agent) is not None,
    )


def _version(major: str | None, minor: str | None) -> str:
    if major is None:
        return ""
    return major if minor in (None, "0") else f"{major}.{minor}"


def _device(user_agent: str, os: str, device: str) -> str:
    if "Tablet" in device or "iPad" in user_agent or "Tablet" in user_agent:
        return "Tablet"
    if os == "Android":
        # Chrome's and Firefox's own convention: a phone says Mobile, a tablet does not.
        return "Mobile" if "Mobile" in user_agent else "Tablet"
    if os in _PHONES or "Mobi" in user_agent:
        return "Mobile"
    return "Desktop" if os in _DESKTOPS else ""


# The names that Plausible's dashboards use, so that filters written for them go on working.
_BROWSER_NAMES = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Edge": "Microsoft Edge",
    "Edge Mobile": "Microsoft Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Opera Mobile": "Opera",
    "Samsung Internet": "Samsung Browser",
}
_OS_NAMES = {
    "Mac OS X": "Mac",
    "Linux": "GNU/Linux",
    "Ubuntu": "GNU/Linux",
    "Fedora": "GNU/Linux",
    "Debian": "GNU/Linux",
}
_PHONES = frozenset({"iOS", "Windows Phone", "KaiOS", "BlackBerry OS", "Firefox OS", "Tizen"})
_DESKTOPS = frozenset({"Windows", "Mac", "GNU/Linux", "Chrome OS", "FreeBSD", "OpenBSD", "NetBSD", "Solaris"})

# Programs that name themselves in one word and perhaps a version; no browser ever did ("my-crawler/2.0").
_TOOL = re.compile(r"[\w.-]*(?:bot|crawler|spider|scraper|scrapy|monitor)[\w.-]*(?:/[\w.]+)?$", re.IGNORECASE)
