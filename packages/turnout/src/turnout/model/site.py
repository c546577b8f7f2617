"""A site, whose it is, and who asks."""

from __future__ import annotations

from typing import NewType

import msgspec

SiteId = NewType("SiteId", int)
UserId = NewType("UserId", int)
OrganisationId = NewType("OrganisationId", int)


class Site(msgspec.Struct, frozen=True):
    """A site as everything but the accounts store sees it. `domain` is lower-case; `timezone` an IANA name."""

    id: SiteId
    domain: str
    timezone: str
    organisation_id: OrganisationId
    is_public: bool = False


class Principal(msgspec.Struct, frozen=True):
    """Who is asking: made from a session or an API key, and the only thing the repository scopes by.

    `scopes` is what an API key may do, and empty for a person in a browser, who may do what her roles allow.
    `only_organisation` binds an API key to the organisation it was made in.
    """

    user_id: UserId
    email: str
    is_operator: bool = False
    scopes: frozenset[str] = frozenset()
    only_organisation: OrganisationId | None = None
