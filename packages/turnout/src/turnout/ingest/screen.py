"""What is not counted, and why: a closed list of reasons. Each drop is counted by its reason and shown."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from turnout.ingest.useragent import Agent


class DropReason(StrEnum):
    """Why an event was screened out."""

    BOT = "bot"
    SPAM_REFERRER = "spam_referrer"
    UNKNOWN_SITE = "unknown_site"


def screen(agent: Agent, referrer: str) -> DropReason | None:
    """The reason to drop an event, or None to keep it. Unknown sites are the pipeline's to find."""
    if agent.is_bot:
        return DropReason.BOT
    if referrer and _is_spam(referrer):
        return DropReason.SPAM_REFERRER
    return None


def _is_spam(referrer: str) -> bool:
    try:
        host = urlsplit(referrer).hostname or ""
    except ValueError:
        return False
    # A listed domain covers what is below it.
    labels = host.split(".")
    return any(".".join(labels[i:]) in SPAM_DOMAINS for i in range(max(0, len(labels) - 4), len(labels) - 1))


SPAM_DOMAINS = frozenset(
    {
        "100dollars-seo.com",
        "best-seo-offer.com",
        "best-seo-solution.com",
        "bestwebsitesawards.com",
        "blackhatworth.com",
        "buttons-for-website.com",
        "buttons-for-your-website.com",
        "buy-cheap-online.info",
        "cenoval.ru",
        "cyber-monday.ga",
        "darodar.com",
        "econom.co",
        "event-tracking.com",
        "floating-share-buttons.com",
        "free-share-buttons.com",
        "free-social-buttons.com",
        "get-free-traffic-now.com",
        "guardlink.org",
        "hulfingtonpost.com",
        "humanorightswatch.org",
        "ilovevitaly.com",
        "kambasoft.com",
        "makemoneyonline.com",
        "o-o-6-o-o.com",
        "priceg.com",
        "rank-checker.online",
        "savetubevideo.com",
        "semalt.com",
        "sharebutton.net",
        "simple-share-buttons.com",
        "success-seo.com",
        "theguardlan.com",
        "traffic2money.com",
        "trafficmonetize.org",
        "video--production.com",
        "webmonetizer.net",
        "website-analyzer.info",
        "webmaster-traffic.com",
    }
)
"""Domains known since 2014 for faked referrers that advertise themselves in analytics; own short list."""
