"""Who is at the other end: the address that failures are counted against, and what the browser calls itself."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from litestar import Request
from litestar.datastructures import State

from turnout.ingest.useragent import agent_of
from turnout.settings import Settings

MOST_HOPS = 20
"""Proxies that may stand one behind the other; what is before them is nobody's address."""


def peer_of(request: Request[object, object, State], settings: Settings) -> str:
    """The peer: the address of the connection, or what a trusted proxy says it is. IPv6 by its /64, which is one line."""
    networks = [ip_network(each.strip()) for each in settings.trusted_proxies.split(",") if each.strip()]
    peer = _address(request.client.host if request.client else "")
    # All lines of it: some proxies add one of their own below what the browser sent.
    hops = ",".join(request.headers.getall("x-forwarded-for", [])).rsplit(",", MOST_HOPS)
    while peer is not None and any(peer in network for network in networks) and hops:
        forwarded = _address(hops.pop().strip())
        if forwarded is None:
            break
        peer = forwarded
    if isinstance(peer, IPv6Address):
        return str(IPv6Network((peer, 64), strict=False))
    return str(peer or "")


def client_of(request: Request[object, object, State]) -> str:
    """`Firefox on Linux`: so that people know their sessions apart."""
    agent = agent_of(request.headers.get("user-agent", ""))
    return " on ".join(part for part in (agent.browser, agent.os) if part) or "An unknown browser"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
