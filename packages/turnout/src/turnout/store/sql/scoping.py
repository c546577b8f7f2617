"""What a principal may do, asked of the database in the transaction that needs to know. The only such place.

Whoever may not know of a thing gets `NotFound`, as for one that does not exist; whoever knows of it and lacks the right
gets `NotAllowed`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select
from sqlalchemy.sql import Select

from turnout.errors import NotAllowed, NotFound
from turnout.model.access import (
    GUEST_RIGHTS,
    KEY_RIGHTS,
    NOBODY,
    PUBLIC,
    RIGHTS,
    Organisation,
    Right,
    Role,
    SiteAccess,
    as_role,
    may_manage,
)
from turnout.model.site import OrganisationId, Principal, Site, SiteId, UserId
from turnout.store.sql.tables import audit_log, memberships, organisations, site_deletions, site_guests, sites, users

SITE_COLUMNS = (sites.c.id, sites.c.domain, sites.c.timezone, sites.c.organisation_id, sites.c.is_public)

USER_COLUMNS = (users.c.id, users.c.email, users.c.is_operator)


def principal_of(row: Row[*tuple[Any, ...]]) -> Principal:
    """The person in a row of `USER_COLUMNS`."""
    return Principal(UserId(row.id), row.email, bool(row.is_operator))


def site_of(row: Row[*tuple[Any, ...]]) -> Site:
    """The site in a row of `SITE_COLUMNS`."""
    return Site(SiteId(row.id), row.domain, row.timezone, OrganisationId(row.organisation_id), bool(row.is_public))


def select_seen_sites(principal: Principal) -> Select[Any]:
    """Sites with the principal's role in their organisation and as their guest; those that neither opens are left out."""
    member = memberships.c.role.label("member_role")
    guest = site_guests.c.role.label("guest_role")
    return _joined(principal, member, guest).where(member.is_not(None) | guest.is_not(None)).order_by(sites.c.domain)


def site_access(connection: Connection, principal: Principal | None, domain: str, right: Right) -> SiteAccess:
    """The site, for whoever has `right` on it. Raises `NotFound`, `NotAllowed`."""
    where = sites.c.domain == domain
    if principal is None:
        row = connection.execute(select(*SITE_COLUMNS).where(where)).one_or_none()
        rights = NOBODY
    else:
        member = memberships.c.role.label("member_role")
        guest = site_guests.c.role.label("guest_role")
        row = connection.execute(_joined(principal, member, guest).where(where)).one_or_none()
        rights = NOBODY if row is None else rights_in(principal, row)
    if row is not None and row.is_public and (principal is None or not principal.scopes):
        rights |= PUBLIC
    if row is None or not rights:
        raise NotFound(f"there is no site {domain}")
    if right not in rights:
        raise NotAllowed("your role on this site does not allow that; ask an admin or owner of its organisation")
    return SiteAccess(site_of(row), rights)


def rights_in(principal: Principal, row: Row[*tuple[Any, ...]]) -> frozenset[Right]:
    """What the two roles of a row of `select_seen_sites` allow together; for a key no more than its scopes."""
    rights = NOBODY
    if row.member_role is not None:
        rights |= RIGHTS[as_role(row.member_role)]
    if row.guest_role is not None:
        rights |= GUEST_RIGHTS[as_role(row.guest_role)]
    if principal.scopes:
        rights &= NOBODY.union(*(KEY_RIGHTS[scope] for scope in principal.scopes))
    return rights


def organisation_access(
    connection: Connection, principal: Principal, organisation_id: OrganisationId, right: Right
) -> Organisation:
    """The organisation, for whoever has `right` in it. Raises `NotFound`, `NotAllowed`."""
    wanted = (
        select(organisations.c.id, organisations.c.name, memberships.c.role)
        .join(memberships, memberships.c.organisation_id == organisations.c.id)
        .where(organisations.c.id == organisation_id, memberships.c.user_id == principal.user_id)
    )
    row = connection.execute(wanted).one_or_none()
    bound = principal.only_organisation
    if row is None or principal.scopes or (bound is not None and bound != organisation_id):
        raise NotFound("there is no such organisation")
    organisation = Organisation(OrganisationId(row.id), row.name, as_role(row.role))
    if right not in organisation.rights:
        raise NotAllowed("your role in this organisation does not allow that; ask an admin or owner of it")
    return organisation


def refuse_above(own: Role, other: Role) -> None:
    """Raises `NotAllowed` where a member of role `own` may not deal with one of role `other`."""
    if not may_manage(own, other):
        raise NotAllowed("only an owner may invite, change or remove an owner")


def record(
    connection: Connection,
    principal: Principal,
    now_s: int,
    action: str,
    target: str = "",
    organisation_id: OrganisationId | None = None,
) -> None:
    """Writes an entry of the audit log, in the transaction of what it speaks of. Without organisation: the person's own."""
    values = {
        "at_s": now_s,
        "organisation_id": organisation_id,
        "user_id": principal.user_id,
        "actor": principal.email,
        "action": action,
        "target": target[:300],
    }
    connection.execute(insert(audit_log).values(values))


def delete_organisations(connection: Connection, which: set[int], now_s: int) -> list[SiteId]:
    """Deletes organisations with their sites, and returns these; their events are put down to go."""
    gone = [
        SiteId(number)
        for number in connection.execute(select(sites.c.id).where(sites.c.organisation_id.in_(which))).scalars()
    ]
    for site_id in gone:
        connection.execute(insert(site_deletions).values(site_id=site_id, created_s=now_s))
    connection.execute(delete(sites).where(sites.c.organisation_id.in_(which)))
    connection.execute(delete(organisations).where(organisations.c.id.in_(which)))
    return gone


def _joined(principal: Principal, *roles: ColumnElement[Any]) -> Select[Any]:
    mine = and_(memberships.c.organisation_id == sites.c.organisation_id, memberships.c.user_id == principal.user_id)
    guest = and_(site_guests.c.site_id == sites.c.id, site_guests.c.user_id == principal.user_id)
    joined = select(*SITE_COLUMNS, *roles).select_from(sites).outerjoin(memberships, mine).outerjoin(site_guests, guest)
    bound = principal.only_organisation
    return joined if bound is None else joined.where(sites.c.organisation_id == bound)
