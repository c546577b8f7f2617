"""Statements on invitations, to organisations and of guests to one site. Scoped by `scoping.py`. All block."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from turnout.errors import AlreadyExists, BadInput, NotFound
from turnout.model.access import ROLES, Invitation, Role, as_role
from turnout.model.site import OrganisationId, Principal, SiteId, UserId
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.people import add_user
from turnout.store.sql.scoping import organisation_access, record, refuse_above, site_access
from turnout.store.sql.tables import invitations, memberships, organisations, site_guests, sites, users

MOST_OPEN = 100
"""Invitations of one organisation at once."""


class Invited(NamedTuple):
    """An open invitation as whoever holds its link sees it."""

    email: str
    role: Role
    organisation: str
    site: str
    invited_by: str


class InvitationRepository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def invite(
        self,
        principal: Principal,
        organisation_id: OrganisationId,
        email: str,
        role: Role,
        token_hash: bytes,
        now_s: int,
        expires_s: int,
    ) -> str:
        """Keeps an invitation in place of an older one to the same address; returns the organisation's name."""
        with self._database.write() as connection:
            own = organisation_access(connection, principal, organisation_id, "manage_members")
            refuse_above(own.role, role)
            member = and_(memberships.c.user_id == users.c.id, memberships.c.organisation_id == organisation_id)
            known = select(users.c.id).join(memberships, member).where(users.c.email == email)
            if connection.execute(known).one_or_none() is not None:
                raise AlreadyExists("email", f"{email} is a member already")
            _add_invitation(connection, principal, organisation_id, None, email, role, token_hash, now_s, expires_s)
            record(connection, principal, now_s, "member.invited", f"{email} as {role}", organisation_id)
        return own.name

    def invite_guest(
        self, principal: Principal, domain: str, email: str, role: Role, token_hash: bytes, now_s: int, expires_s: int
    ) -> None:
        """Keeps an invitation to one site, in place of an older one to the same address."""
        with self._database.write() as connection:
            site = site_access(connection, principal, domain, "manage_members").site
            guest = and_(site_guests.c.user_id == users.c.id, site_guests.c.site_id == site.id)
            known = select(users.c.id).join(site_guests, guest).where(users.c.email == email)
            if connection.execute(known).one_or_none() is not None:
                raise AlreadyExists("email", f"{email} is a guest already")
            _add_invitation(
                connection, principal, site.organisation_id, site.id, email, role, token_hash, now_s, expires_s
            )
            target = f"{email} to {domain} as {role}"
            record(connection, principal, now_s, "guest.invited", target, site.organisation_id)

    def invitations(self, principal: Principal, organisation_id: OrganisationId, now_s: int) -> list[Invitation]:
        """Those still open, the newest first, guests' too; none for whoever may not invite."""
        inviter = users.alias()
        wanted = (
            select(invitations, organisations.c.name, sites.c.domain, inviter.c.email.label("inviter"))
            .join(organisations, organisations.c.id == invitations.c.organisation_id)
            .join(inviter, inviter.c.id == invitations.c.invited_by)
            .outerjoin(sites, sites.c.id == invitations.c.site_id)
            .where(invitations.c.organisation_id == organisation_id, invitations.c.expires_s > now_s)
            .order_by(invitations.c.id.desc())
        )
        with self._database.read() as connection:
            own = organisation_access(connection, principal, organisation_id, "see_organisation")
            if "manage_members" not in own.rights:
                return []
            return [
                Invitation(row.id, row.email, as_role(row.role), row.name, row.domain or "", row.inviter, row.expires_s)
                for row in connection.execute(wanted)
            ]

    def withdraw(self, principal: Principal, organisation_id: OrganisationId, number: int, now_s: int) -> None:
        """Ends an invitation; nothing where there is none of that number."""
        mine = and_(invitations.c.id == number, invitations.c.organisation_id == organisation_id)
        with self._database.write() as connection:
            organisation_access(connection, principal, organisation_id, "manage_members")
            email = connection.execute(select(invitations.c.email).where(mine)).scalar_one_or_none()
            if email is not None:
                connection.execute(delete(invitations).where(mine))
                record(connection, principal, now_s, "member.invitation_withdrawn", email, organisation_id)

    def unscoped_invited(self, token_hash: bytes, now_s: int) -> Invited:
        """What the holder of an invitation's link is invited to. Raises `NotFound`."""
        with self._database.read() as connection:
            row = _open_invitation(connection, token_hash, now_s)
        return Invited(row.email, as_role(row.role), row.name, row.domain or "", row.inviter)

    def accept(self, principal: Principal, token_hash: bytes, now_s: int) -> None:
        """Makes the principal what the invitation says, and uses it up. Raises `NotFound`. Of two at once, one gets in."""
        with self._database.write() as connection:
            _accept(connection, principal, token_hash, now_s)

    def unscoped_accept_as_new(self, token_hash: bytes, email: str, password_hash: str, now_s: int) -> UserId:
        """Makes an account for whoever holds an invitation's link, and accepts it. Raises `NotFound`, `AlreadyExists`."""
        try:
            with self._database.write() as connection:
                _open_invitation(connection, token_hash, now_s)
                user_id = add_user(connection, email, password_hash, is_operator=False, now_s=now_s)
                _accept(connection, Principal(user_id, email), token_hash, now_s)
        except IntegrityError:
            raise AlreadyExists("email", f"there is an account {email} already; sign in to accept") from None
        return user_id


def _add_invitation(
    connection: Connection,
    principal: Principal,
    organisation_id: OrganisationId,
    site_id: SiteId | None,
    email: str,
    role: Role,
    token_hash: bytes,
    now_s: int,
    expires_s: int,
) -> None:
    ours = invitations.c.organisation_id == organisation_id
    same = and_(ours, invitations.c.email == email, invitations.c.site_id.is_not_distinct_from(site_id))
    connection.execute(delete(invitations).where((invitations.c.expires_s <= now_s) | same))
    if connection.execute(select(func.count()).select_from(invitations).where(ours)).scalar_one() >= MOST_OPEN:
        raise BadInput("email", f"expected at most {MOST_OPEN} open invitations; withdraw some first")
    values = {
        "token_hash": token_hash,
        "organisation_id": organisation_id,
        "site_id": site_id,
        "email": email,
        "role": role,
        "invited_by": principal.user_id,
        "created_s": now_s,
        "expires_s": expires_s,
    }
    connection.execute(insert(invitations).values(values))


def _open_invitation(connection: Connection, token_hash: bytes, now_s: int) -> Row[*tuple[Any, ...]]:
    inviter = users.alias()
    wanted = (
        select(invitations, organisations.c.name, sites.c.domain, inviter.c.email.label("inviter"))
        .join(organisations, organisations.c.id == invitations.c.organisation_id)
        .join(inviter, inviter.c.id == invitations.c.invited_by)
        .outerjoin(sites, sites.c.id == invitations.c.site_id)
        .where(invitations.c.token_hash == token_hash, invitations.c.expires_s > now_s)
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("this invitation has been used, withdrawn, or is too old; ask for a new one")
    return row


def _accept(connection: Connection, principal: Principal, token_hash: bytes, now_s: int) -> None:
    row = _open_invitation(connection, token_hash, now_s)
    connection.execute(delete(invitations).where(invitations.c.id == row.id))
    if row.site_id is None:
        table, what, action = memberships, memberships.c.organisation_id == row.organisation_id, "member.joined"
        values = {"organisation_id": row.organisation_id}
    else:
        table, what, action = site_guests, site_guests.c.site_id == row.site_id, "guest.joined"
        values = {"site_id": row.site_id}
    mine = and_(what, table.c.user_id == principal.user_id)
    old = connection.execute(select(table.c.role).where(mine)).scalar_one_or_none()
    # An invitation never takes anything away from somebody who is in already.
    if old is None or ROLES.index(as_role(row.role)) < ROLES.index(as_role(old)):
        connection.execute(delete(table).where(mine))
        values |= {"user_id": principal.user_id, "role": row.role, "created_s": now_s}
        connection.execute(insert(table).values(values))
    target = f"{row.domain} as {row.role}" if row.site_id else f"as {row.role}"
    record(connection, principal, now_s, action, target, OrganisationId(row.organisation_id))
