"""A site, its owner, and who asks."""

from __future__ import annotations

from typing import NewType

import msgspec

SiteId = NewType("SiteId", int)
UserId = NewType("UserId", int)


class Site(msgspec.Struct, frozen=True):
    """A site as everything but the accounts store sees it. `domain` is lower-case; `timezone` an IANA name."""

    id: SiteId
    domain: str
    timezone: str
    owner_id: UserId


class Principal(msgspec.Struct, frozen=True):
    """Who is asking: made from a session or an API key, and the only thing the repository scopes by."""

    user_id: UserId
    email: str
    is_operator: bool = False
    scopes: frozenset[str] = frozenset({"stats"})
