"""Where a visit came from: source, channel and campaign, from the page's query string and the referrer.

Channels are named and ordered as Google Analytics 4 and Plausible do ("Default channel group"); lists are our own.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec

from turnout.ingest.source_names import BY_HOST, BY_TAG, Kind, Known

MAX_TAGS = 100
"""Query strings with more parts than this are no campaign's; only these many are looked at."""


class Source(msgspec.Struct, frozen=True):
    """Where a visit came from. `source` is empty for direct visits; `referrer` is host and path, without `www.`."""

    referrer: str
    source: str
    channel: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str
    utm_term: str


def source_of(page: SplitResult, referrer: str) -> Source:
    """The source of an event on a page. A referrer of the page's own host counts as none. For any thread."""
    tags = _tags(page.query) if page.query else {}
    host, shown = _referrer(referrer)
    if host == (page.hostname or "").removeprefix("www."):
        host, shown = "", ""
    tagged = tags.get("utm_source") or tags.get("source") or tags.get("ref") or ""
    known = _known(tagged.lower()) if tagged else _known_host(host)
    click_id = next((name for name in _CLICK_IDS if name in tags), "")
    if not tagged and not host and click_id:
        known = _CLICK_IDS[click_id]
    name = known.name if known else tagged or host
    return Source(
        referrer=shown,
        source=name,
        channel=_channel(known.kind if known else None, name, tags, click_id),
        utm_source=tags.get("utm_source", ""),
        utm_medium=tags.get("utm_medium", ""),
        utm_campaign=tags.get("utm_campaign", ""),
        utm_content=tags.get("utm_content", ""),
        utm_term=tags.get("utm_term", ""),
    )


def _tags(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=MAX_TAGS)
    except ValueError:
        pairs = parse_qsl("&".join(query.split("&", MAX_TAGS)[:MAX_TAGS]), keep_blank_values=True, errors="replace")
    tags: dict[str, str] = {}
    for key, value in pairs:
        if key in _TAGS:
            tags.setdefault(key, value.replace("\0", "\ufffd").strip())
    return tags


def _referrer(referrer: str) -> tuple[str, str]:
    """The referrer's host, and what is shown of it; empty for what is no web address."""
    if not referrer:
        return "", ""
    try:
        parts = urlsplit(referrer)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return "", ""
    if parts.scheme == "android-app":
        return host, host
    if parts.scheme not in ("http", "https"):
        return "", ""
    return host, host + parts.path.rstrip("/")


def _known(tag: str) -> Known | None:
    return BY_TAG.get(tag) or _known_host(tag.removeprefix("www."))


@lru_cache(4_096)
def _known_host(host: str) -> Known | None:
    """What the host or the domain above it is known as; `google.*` in every country by its first label."""
    labels = host.split(".")
    for i in range(len(labels)):
        found = BY_HOST.get(".".join(labels[i:])) or BY_HOST.get(f"{labels[i]}.*")
        # `google.*` is google.de and google.co.uk, and not google.example.com.
        if found is not None and (".".join(labels[i:]) in BY_HOST or len(labels) - i <= 2 or _is_country(labels[i:])):
            return found
    return None


def _is_country(labels: list[str]) -> bool:
    return len(labels) == 3 and labels[1] in ("co", "com") and len(labels[2]) == 2


def _channel(kind: Kind | None, name: str, tags: dict[str, str], click_id: str) -> str:
    medium = tags.get("utm_medium", "").lower()
    campaign = tags.get("utm_campaign", "").lower()
    if "cross-network" in campaign:
        return "Cross-network"
    is_shop = kind == "shopping" or "shop" in campaign.split("-")
    if _is_paid(medium) or (click_id in _PAID_CLICKS and not medium):
        return "Paid Shopping" if is_shop else _PAID.get(kind, "Paid Other")
    if medium in _DISPLAY:
        return "Display"
    if is_shop:
        return "Organic Shopping"
    if kind == "social" or medium in _SOCIAL:
        return "Organic Social"
    if kind == "video" or "video" in medium:
        return "Organic Video"
    if kind == "search" or medium == "organic":
        return "Organic Search"
    if kind == "ai":
        return "AI Assistants"
    if kind == "email" or medium in _EMAIL:
        return "Email"
    if medium in _OTHERS:
        return _OTHERS[medium]
    if medium.endswith("push") or "mobile" in medium or "notification" in medium:
        return "Mobile Push Notifications"
    return "Referral" if name else "Direct"


def _is_paid(medium: str) -> bool:
    return "cp" in medium[:2] or medium in ("ppc", "retargeting") or medium.startswith("paid")


_PAID: dict[Kind | None, str] = {"search": "Paid Search", "social": "Paid Social", "video": "Paid Video"}
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial"})
_SOCIAL = frozenset({"social", "social-network", "social-media", "sm", "social network", "social media"})
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail", "newsletter"})
_OTHERS = {
    "affiliate": "Affiliates",
    "audio": "Audio",
    "sms": "SMS",
    "referral": "Referral",
    "app": "Referral",
    "link": "Referral",
}

# What advertisers' platforms add to links. Facebook adds fbclid to unpaid ones too, so it tells the source only.
_CLICK_IDS: dict[str, Known] = {
    "gclid": Known("Google", "search"),
    "gbraid": Known("Google", "search"),
    "wbraid": Known("Google", "search"),
    "msclkid": Known("Bing", "search"),
    "fbclid": Known("Facebook", "social"),
    "ttclid": Known("TikTok", "social"),
    "twclid": Known("Twitter", "social"),
    "li_fat_id": Known("LinkedIn", "social"),
    "yclid": Known("Yandex", "search"),
    "igshid": Known("Instagram", "social"),
}
_PAID_CLICKS = frozenset({"gclid", "gbraid", "wbraid", "msclkid", "ttclid", "twclid", "yclid"})
_TAGS = frozenset({"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "source", "ref", *_CLICK_IDS})
