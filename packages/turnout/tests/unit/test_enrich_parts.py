"""Visitor, agent, place, source, location, local time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from seawall.testing import ManualClock
from turnout.errors import BadInput, SettingsInvalid, StoreUnavailable
from turnout.ingest.countries import CountryTable
from turnout.ingest.enrich import language_of
from turnout.ingest.localtime import local_date, local_ms
from turnout.ingest.location import hostname_of, page_of, split_url
from turnout.ingest.place import Places
from turnout.ingest.screen import DropReason, screen
from turnout.ingest.source import source_of
from turnout.ingest.useragent import agent_of
from turnout.ingest.visitor import Salts, visitor_hash

KHTML = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"
CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Safari/537.36"
PIXEL = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {KHTML} Mobile Safari/537.36"
TAB = f"Mozilla/5.0 (Linux; Android 14; SM-X700) {KHTML} Safari/537.36"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.2 Mobile/15E148 Safari/604.1"
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_visitor_differs_by_site_address_agent_and_salt() -> None:
    base = (b"s" * 32, 1, "10.0.0.1", "UA")
    others = [(b"t" * 32, *base[1:]), (base[0], 2, *base[2:]), (*base[:2], "10.0.0.2", "UA"), (*base[:3], "UB")]
    hashes = {visitor_hash(*x) for x in [base, *others]}
    assert len(hashes) == 5
    assert visitor_hash(*base) in hashes
    assert all(0 <= h < 2**64 for h in hashes)


def test_salts_outlive_a_restart_and_are_readable_by_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "salts.json"
    clock = ManualClock()
    first = Salts(path, clock).salt(date.fromtimestamp(clock.time()))
    assert Salts(path, clock).salt(date.fromtimestamp(clock.time())) == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_salt_is_on_the_disk_before_it_is_first_used(tmp_path: Path) -> None:
    path = tmp_path / "salts.json"
    salt = Salts(path).salt(date(2031, 1, 1))
    assert salt.hex() in path.read_text()


class At:
    """A clock that stands still at a UTC time."""

    def __init__(self, text: str) -> None:
        self.at = at(text)

    def time(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def test_salts_of_dates_in_use_anywhere_are_kept_and_older_ones_destroyed(tmp_path: Path) -> None:
    path = tmp_path / "salts.json"
    clock = At("2026-03-10T11:59")
    salts = Salts(path, clock)
    ninth = salts.salt(date(2026, 3, 9)).hex()
    assert ninth in path.read_text()  # it is still the 9th at UTC-12
    clock.at = at("2026-03-10T12:00")
    salts.tend()
    assert ninth not in path.read_text()
    assert "2026-03-12" in path.read_text()  # tomorrow at UTC+14, made ahead


def test_salts_that_can_not_be_kept_are_not_used(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="can't be"):
        Salts(tmp_path / "gone" / "salts.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(StoreUnavailable, match="Move the file away"):
        Salts(tmp_path / "bad.json")


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (CHROME, ("Chrome", "120", "Windows", "10", "Desktop", False)),
        (PIXEL, ("Chrome", "120", "Android", "14", "Mobile", False)),
        (TAB, ("Chrome", "120", "Android", "14", "Tablet", False)),
        (IPHONE, ("Safari", "17.2", "iOS", "17.2", "Mobile", False)),
    ],
)
def test_agents_are_read(user_agent: str, expected: tuple[object, ...]) -> None:
    agent = agent_of(user_agent)
    assert (
        agent.browser,
        agent.browser_version,
        agent.os,
        agent.os_version,
        agent.device,
        agent.is_bot,
    ) == expected


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "curl/8.0",
        "my-scraper-bot/1.0",
        "python-httpx/0.27",
    ],
)
def test_bots_are_dropped(user_agent: str) -> None:
    assert screen(agent_of(user_agent), "") is DropReason.BOT


def test_spam_referrers_are_dropped_with_what_is_below_them() -> None:
    agent = agent_of(CHROME)
    assert screen(agent, "https://x.semalt.com/y") is DropReason.SPAM_REFERRER
    assert screen(agent, "http://semalt.com") is DropReason.SPAM_REFERRER
    assert screen(agent, "https://notsemalt.com/") is None
    assert screen(agent, "http://[") is None


def test_odd_user_agents_are_read_without_error() -> None:
    for user_agent in ["x", "\xff" * 5000, "Mozilla/5.0", "🦊", "("]:
        assert agent_of(user_agent).device in ("", "Desktop", "Mobile", "Tablet")


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("131.188.0.1", "DE"),
        ("129.132.1.1", "CH"),
        ("131.111.8.42", "GB"),
        ("193.51.193.1", "FR"),
        ("133.11.0.1", "JP"),
        ("18.9.22.69", "US"),
        ("200.160.2.3", "BR"),
        ("139.130.4.5", "AU"),
        ("2001:200::1", "JP"),
        ("2001:638:a000::1", "DE"),
        ("2001:620::1", "CH"),
        ("::ffff:131.188.0.1", "DE"),
        ("10.0.0.1", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("0.0.0.0", ""),
        ("255.255.255.255", ""),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ],
)
def test_addresses_whose_country_is_well_known_are_found(address: str, country: str) -> None:
    assert TABLE.country(ip_address(address)) == country


TABLE = CountryTable.shipped()


def test_what_is_no_address_is_nowhere_and_no_mmdb_is_told(tmp_path: Path) -> None:
    places = Places()
    assert places.of("testclient").country == ""
    assert places.of("131.188.0.1").country == "DE"
    (tmp_path / "city.mmdb").write_bytes(b"no")
    with pytest.raises(SettingsInvalid, match=r"city_database: .*city\.mmdb"):
        Places(tmp_path / "city.mmdb")


@pytest.mark.parametrize(
    ("url", "referrer", "source", "channel", "shown"),
    [
        ("https://e.org/", "", "", "Direct", ""),
        ("https://e.org/", "https://www.e.org/other", "", "Direct", ""),
        ("https://e.org/", "https://www.google.co.uk/", "Google", "Organic Search", "google.co.uk"),
        ("https://e.org/", "https://google.evil.example/", "google.evil.example", "Referral", "google.evil.example"),
        ("https://e.org/", "https://t.co/abc", "Twitter", "Organic Social", "t.co/abc"),
        ("https://e.org/", "https://blog.example/x/?q=secret", "blog.example", "Referral", "blog.example/x"),
        ("https://e.org/?utm_source=fb&utm_medium=cpc", "", "Facebook", "Paid Social", ""),
        ("https://e.org/?gclid=1", "https://google.com/", "Google", "Paid Search", "google.com"),
        ("https://e.org/?gclid=1", "", "Google", "Paid Search", ""),
        ("https://e.org/?fbclid=1", "", "Facebook", "Organic Social", ""),
        ("https://e.org/?utm_source=news&utm_medium=email", "", "news", "Email", ""),
        ("https://e.org/?ref=producthunt.com", "", "Product Hunt", "Referral", ""),
        ("https://e.org/", "https://chatgpt.com/", "ChatGPT", "AI Assistants", "chatgpt.com"),
        ("https://e.org/", "https://youtu.be/x", "YouTube", "Organic Video", "youtu.be/x"),
        ("https://e.org/", "android-app://com.google.android.gm/", "Gmail", "Email", "com.google.android.gm"),
        ("https://e.org/", "about:blank", "", "Direct", ""),
        ("https://e.org/", "http://[", "", "Direct", ""),
        ("https://e.org/?utm_campaign=x-cross-network", "", "", "Cross-network", ""),
        ("https://e.org/?" + "&".join(f"a{i}=1" for i in range(300)) + "&utm_source=x", "", "", "Direct", ""),
    ],
)
def test_sources_and_channels(url: str, referrer: str, source: str, channel: str, shown: str) -> None:
    found = source_of(urlsplit(url), referrer)
    assert (found.source, found.channel, found.referrer) == (source, channel, shown)


@pytest.mark.parametrize(
    "url",
    [
        "data:text/html,x",
        "about:blank",
        "/relative",
        "e.org/x",
        "https:///x",
        "http://[",
        "javascript:x",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_page_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        split_url(url)
    assert caught.value.field == "url"


@pytest.mark.parametrize(
    ("url", "hash_mode", "host", "page"),
    [
        ("https://www.E.org", False, "e.org", "/"),
        ("https://e.org/a%20b/%C3%A4?q=1#f", False, "e.org", "/a b/ä"),
        ("https://e.org/a#/route", True, "e.org", "/a#/route"),
        ("https://e.org/%ff%00", False, "e.org", "/\ufffd\ufffd"),
        ("app://localhost/screen", False, "localhost", "/screen"),
    ],
)
def test_pages_and_hosts(url: str, hash_mode: bool, host: str, page: str) -> None:
    parts = split_url(url)
    assert (hostname_of(parts), page_of(parts, hash_mode=hash_mode)) == (host, page)


@pytest.mark.parametrize(
    "zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize(
    "when", ["2026-03-08T09:59", "2026-03-08T10:00", "2026-04-04T15:00", "2026-11-01T09:00", "2026-12-31T23:59"]
)
def test_local_time_is_the_wall_clock(zone: str, when: str) -> None:
    at_ms = int(at(when) * 1000)
    wall = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).replace(tzinfo=UTC)
    assert local_ms(zone, at_ms) == int(wall.timestamp() * 1000)
    assert local_date(local_ms(zone, at_ms)) == wall.date()


@pytest.mark.parametrize(
    ("header", "language"),
    [("de-AT,de;q=0.9", "de-AT"), ("EN", "en"), ("", ""), ("*", ""), ("zh-Hans-CN", "zh-CN"), ("english", "")],
)
def test_the_first_language_is_taken(header: str, language: str) -> None:
    assert language_of(header) == language
