"""Statements on organisations and their members. Scoped by `scoping.py`. All block."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from turnout.errors import BadInput, NotFound
from turnout.model.access import ROLES, Member, Organisation, Right, Role, as_role, may_manage
from turnout.model.site import OrganisationId, Principal, SiteId, UserId
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.scoping import delete_organisations, organisation_access, record, refuse_above
from turnout.store.sql.tables import api_keys, invitations, memberships, organisations, users

MOST_ORGANISATIONS = 50
"""That one person may be in: a bound on what one account can make."""


class OrganisationRepository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def organisations(self, principal: Principal) -> list[Organisation]:
        """Those that the principal is a member of, by name."""
        wanted = (
            select(organisations.c.id, organisations.c.name, memberships.c.role)
            .join(memberships, memberships.c.organisation_id == organisations.c.id)
            .where(memberships.c.user_id == principal.user_id)
            .order_by(organisations.c.name, organisations.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(wanted).all()
        return [Organisation(OrganisationId(row.id), row.name, as_role(row.role)) for row in rows]

    def organisation(self, principal: Principal, organisation_id: OrganisationId, right: Right) -> Organisation:
        """One of them. Raises `NotFound`, `NotAllowed`."""
        with self._database.read() as connection:
            return organisation_access(connection, principal, organisation_id, right)

    def personal_organisation(self, principal: Principal) -> Organisation:
        """The oldest that the principal owns: where the command line puts things. Raises `NotFound`."""
        owned = [each for each in self.organisations(principal) if each.role == "owner"]
        if not owned:
            raise NotFound(f"{principal.email} owns no organisation")
        return min(owned, key=lambda each: each.id)

    def add_organisation(self, principal: Principal, name: str, now_s: int) -> Organisation:
        """Makes one that the principal owns. Raises `BadInput` where they are in too many already."""
        with self._database.write() as connection:
            mine = select(func.count()).select_from(memberships).where(memberships.c.user_id == principal.user_id)
            if connection.execute(mine).scalar_one() >= MOST_ORGANISATIONS:
                raise BadInput("name", f"expected at most {MOST_ORGANISATIONS} organisations a person")
            made = insert(organisations).values(name=name, created_s=now_s).returning(organisations.c.id)
            number = OrganisationId(connection.execute(made).scalar_one())
            owner = {"organisation_id": number, "user_id": principal.user_id, "role": "owner", "created_s": now_s}
            connection.execute(insert(memberships).values(owner))
            record(connection, principal, now_s, "organisation.created", name, number)
        return Organisation(number, name, "owner")

    def rename(self, principal: Principal, organisation_id: OrganisationId, name: str, now_s: int) -> None:
        """Gives it another name."""
        with self._database.write() as connection:
            organisation_access(connection, principal, organisation_id, "manage_organisation")
            connection.execute(update(organisations).where(organisations.c.id == organisation_id).values(name=name))
            record(connection, principal, now_s, "organisation.renamed", name, organisation_id)

    def delete(self, principal: Principal, organisation_id: OrganisationId, now_s: int) -> list[SiteId]:
        """Deletes it with its sites, and returns these."""
        with self._database.write() as connection:
            found = organisation_access(connection, principal, organisation_id, "manage_organisation")
            gone = delete_organisations(connection, {organisation_id}, now_s)
            record(connection, principal, now_s, "organisation.deleted", found.name)
        return gone

    def members(self, principal: Principal, organisation_id: OrganisationId) -> list[Member]:
        """All members, by address."""
        wanted = (
            select(users.c.id, users.c.email, memberships.c.role, memberships.c.created_s)
            .join(memberships, memberships.c.user_id == users.c.id)
            .where(memberships.c.organisation_id == organisation_id)
            .order_by(users.c.email)
        )
        with self._database.read() as connection:
            organisation_access(connection, principal, organisation_id, "see_organisation")
            return [
                Member(UserId(row.id), row.email, as_role(row.role), row.created_s)
                for row in connection.execute(wanted)
            ]

    def set_role(
        self, principal: Principal, organisation_id: OrganisationId, user_id: UserId, role: Role, now_s: int
    ) -> None:
        """Changes a member's role. Raises `NotAllowed` above one's own rights, `BadInput` for the last owner."""
        with self._database.write() as connection:
            own = organisation_access(connection, principal, organisation_id, "manage_members")
            email, old = _member(connection, organisation_id, user_id)
            refuse_above(own.role, old)
            refuse_above(own.role, role)
            if old == "owner" and role != "owner":
                _refuse_last_owner(connection, organisation_id)
            where = and_(memberships.c.organisation_id == organisation_id, memberships.c.user_id == user_id)
            connection.execute(update(memberships).where(where).values(role=role))
            _withdraw_above(connection, organisation_id, user_id, role)
            record(connection, principal, now_s, "member.role", f"{email}: {old} → {role}", organisation_id)

    def remove_member(self, principal: Principal, organisation_id: OrganisationId, user_id: UserId, now_s: int) -> None:
        """Takes a member out, or oneself. The member's keys end with it."""
        is_self = user_id == principal.user_id
        with self._database.write() as connection:
            right: Right = "see_organisation" if is_self else "manage_members"
            own = organisation_access(connection, principal, organisation_id, right)
            email, role = _member(connection, organisation_id, user_id)
            if not is_self:
                refuse_above(own.role, role)
            if role == "owner":
                _refuse_last_owner(connection, organisation_id)
            for table in (memberships, api_keys):
                connection.execute(
                    delete(table).where(table.c.organisation_id == organisation_id, table.c.user_id == user_id)
                )
            _withdraw_above(connection, organisation_id, user_id, None)
            record(connection, principal, now_s, "member.left" if is_self else "member.removed", email, organisation_id)


def _withdraw_above(connection: Connection, organisation_id: OrganisationId, user_id: UserId, own: Role | None) -> None:
    """Ends the open invitations that a member could not make any more: whoever kept such a link could come back by it."""
    above = [role for role in ROLES if own is None or not may_manage(own, role)]
    made = and_(invitations.c.organisation_id == organisation_id, invitations.c.invited_by == user_id)
    connection.execute(delete(invitations).where(made, invitations.c.role.in_(above)))


def _member(connection: Connection, organisation_id: OrganisationId, user_id: UserId) -> tuple[str, Role]:
    wanted = (
        select(users.c.email, memberships.c.role)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.organisation_id == organisation_id, memberships.c.user_id == user_id)
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("there is no such member")
    return row.email, as_role(row.role)


def _refuse_last_owner(connection: Connection, organisation_id: OrganisationId) -> None:
    owners = (
        select(func.count())
        .select_from(memberships)
        .where(memberships.c.organisation_id == organisation_id, memberships.c.role == "owner")
    )
    if connection.execute(owners).scalar_one() <= 1:
        raise BadInput("role", "an organisation needs an owner; make another member an owner first")
