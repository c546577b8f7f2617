"""Who may do what: roles, rights, and the one table that joins them."""

from __future__ import annotations

from typing import Literal, cast, get_args

import msgspec

from turnout.model.site import OrganisationId, Site, SiteId, UserId

Role = Literal["owner", "admin", "editor", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the highest down."""

GUEST_ROLES: tuple[Role, ...] = ("editor", "viewer")
"""What a guest of one site may be."""

Right = Literal[
    "see_site",
    "edit_site",
    "share_site",
    "add_site",
    "delete_site",
    "see_organisation",
    "manage_members",
    "manage_keys",
    "see_audit",
    "manage_organisation",
]

_VIEWER: frozenset[Right] = frozenset({"see_site", "see_organisation"})
_EDITOR: frozenset[Right] = _VIEWER | {"edit_site", "share_site"}
_ADMIN: frozenset[Right] = _EDITOR | {"add_site", "delete_site", "manage_members", "manage_keys", "see_audit"}

RIGHTS: dict[Role, frozenset[Right]] = {
    "viewer": _VIEWER,
    "editor": _EDITOR,
    "admin": _ADMIN,
    "owner": _ADMIN | {"manage_organisation"},
}
GUEST_RIGHTS: dict[Role, frozenset[Right]] = {
    "viewer": frozenset({"see_site"}),
    "editor": frozenset({"see_site", "edit_site", "share_site"}),
}
"""A guest knows one site, and nothing of the organisation that it belongs to."""
KEY_RIGHTS: dict[str, frozenset[Right]] = {"stats": frozenset({"see_site"}), "ops": frozenset()}
"""The most that an API key of each scope may do; its maker's role may allow less."""
NOBODY: frozenset[Right] = frozenset()
PUBLIC: frozenset[Right] = frozenset({"see_site"})
"""What everybody may do with a public site."""


def may_manage(own: Role, other: Role) -> bool:
    """Whether a member of role `own` may invite, change or remove one of role `other`: owners all, admins all but owners."""
    return own == "owner" or (own == "admin" and other != "owner")


def as_role(text: str) -> Role:
    """A role as the database holds it."""
    return cast("Role", text)


class Organisation(msgspec.Struct, frozen=True):
    """An organisation, as a person sees it who has `role` in it."""

    id: OrganisationId
    name: str
    role: Role

    @property
    def rights(self) -> frozenset[Right]:
        """What the role allows."""
        return RIGHTS[self.role]


class SiteAccess(msgspec.Struct, frozen=True):
    """A site, and what whoever asks may do with it."""

    site: Site
    rights: frozenset[Right]


class Member(msgspec.Struct, frozen=True):
    """A person with a role: in an organisation, or as a guest of a site."""

    user_id: UserId
    email: str
    role: Role
    since_s: int


class Invitation(msgspec.Struct, frozen=True):
    """An invitation that is open. `site` is the domain where it is for a guest of that site; empty else."""

    id: int
    email: str
    role: Role
    organisation: str
    site: str
    invited_by: str
    expires_s: int


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it may be shown: never the key itself."""

    id: int
    name: str
    prefix: str
    scope: str
    made_by: str
    created_s: int
    last_used_s: int | None


class SessionShown(msgspec.Struct, frozen=True):
    """A session of one's own. `is_this` where it is the one that asks."""

    id: int
    client: str
    created_s: int
    last_seen_s: int
    is_this: bool


class SharedLink(msgspec.Struct, frozen=True):
    """A link by which whoever has it sees one site, with a password where it has one."""

    id: int
    slug: str
    name: str
    site_id: SiteId
    has_password: bool
    created_s: int


class AuditEntry(msgspec.Struct, frozen=True):
    """Who did what to what, and when."""

    at_s: int
    actor: str
    action: str
    target: str
