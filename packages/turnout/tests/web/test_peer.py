from __future__ import annotations

import pytest
from litestar import Request

from turnout.settings import Settings
from turnout.web.peer import client_of, peer_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def request(address: str, forwarded: str = "", agent: str = "") -> Request:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    headers += [(b"user-agent", agent.encode())] if agent else []
    return Request({"type": "http", "headers": headers, "client": (address, 50_000)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "forwarded", "trusted", "peer"),
    [
        ("203.0.113.9", "198.51.100.1", "127.0.0.0/8, ::1", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.0/8, ::1", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "127.0.0.0/8, ::1", "203.0.113.9"),
        ("127.0.0.1", "made.up, 1.2.3.4, 203.0.113.9", "127.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "10.0.0.0/8", "203.0.113.9"),
        ("127.0.0.1", "1.2.3.4, nonsense", "127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1, 127.0.0.1", "127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "", "127.0.0.1"),
        ("2001:db8:1:2:3::4", "", "", "2001:db8:1:2::/64"),
        ("::1", "::ffff:203.0.113.9", "::1", "203.0.113.9"),
    ],
)
def test_the_peer_is_the_last_hop_that_is_not_a_trusted_proxy(
    address: str, forwarded: str, trusted: str, peer: str
) -> None:
    assert peer_of(request(address, forwarded), Settings(trusted_proxies=trusted)) == peer


def test_a_browser_is_named_so_that_people_know_it() -> None:
    assert client_of(request("127.0.0.1", agent=FIREFOX)).startswith("Firefox on ")
    assert client_of(request("127.0.0.1")) == "An unknown browser"


def test_a_line_that_the_browser_sent_is_not_taken_for_the_proxys() -> None:
    lines = [(b"x-forwarded-for", b"198.51.100.7"), (b"x-forwarded-for", b"203.0.113.9")]
    asked = Request({"type": "http", "headers": lines, "client": ("127.0.0.1", 50_000)})  # type: ignore[arg-type]
    assert peer_of(asked, Settings()) == "203.0.113.9"


def test_hops_without_end_are_not_followed() -> None:
    assert peer_of(request("127.0.0.1", "203.0.113.9," + "127.0.0.1," * 10_000), Settings()) == "127.0.0.1"
