"""Statements on people: accounts, passwords, and what one did. A person changes nobody's but her own.

Methods that begin with `unscoped_` come before anybody is known, or serve the operator at the command line. All block:
call them on a thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from turnout.errors import AlreadyExists, BadInput, NotFound, NotSignedIn
from turnout.model.access import AuditEntry
from turnout.model.site import OrganisationId, Principal, SiteId, UserId
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.scoping import USER_COLUMNS, delete_organisations, principal_of, record
from turnout.store.sql.tables import (
    audit_log,
    first_account_links,
    memberships,
    organisations,
    password_resets,
    sessions,
    users,
)

AUDIT_SHOWN = 200


class Credentials(NamedTuple):
    """What a sign-in is checked against. `has_second_factor`: a code is asked for after the password."""

    user_id: UserId
    email: str
    password_hash: str
    has_second_factor: bool


class PeopleRepository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def unscoped_add_user(self, email: str, password_hash: str, *, is_operator: bool, now_s: int) -> UserId:
        """Makes an account with an organisation of its own. For the command line. Raises `AlreadyExists`."""
        try:
            with self._database.write() as connection:
                return add_user(connection, email, password_hash, is_operator=is_operator, now_s=now_s)
        except IntegrityError:
            raise AlreadyExists("email", f"there is an account {email} already") from None

    def unscoped_add_first_user(self, token_hash: bytes, email: str, password_hash: str, now_s: int) -> UserId:
        """Makes the first account with its one-time link. Raises `NotFound` when the link is used, or was never given."""
        with self._database.write() as connection:
            used = connection.execute(
                delete(first_account_links).where(first_account_links.c.token_hash == token_hash)
            ).rowcount
            if not used or connection.execute(select(func.count()).select_from(users)).scalar_one():
                raise NotFound(
                    "this link has been used, or is not the newest; the server prints one while it has no account"
                )
            connection.execute(delete(first_account_links))
            return add_user(connection, email, password_hash, is_operator=True, now_s=now_s)

    def unscoped_set_first_account_link(self, token_hash: bytes, now_s: int) -> None:
        """Makes this the only link that creates the first account."""
        with self._database.write() as connection:
            connection.execute(delete(first_account_links))
            connection.execute(insert(first_account_links).values(token_hash=token_hash, created_s=now_s))

    def unscoped_has_first_account_link(self, token_hash: bytes) -> bool:
        """Whether this link is good."""
        wanted = select(first_account_links.c.created_s).where(first_account_links.c.token_hash == token_hash)
        with self._database.read() as connection:
            return connection.execute(wanted).one_or_none() is not None

    def unscoped_has_users(self) -> bool:
        """Whether there is any account: for the first start."""
        with self._database.read() as connection:
            return bool(connection.execute(select(func.count()).select_from(users)).scalar_one())

    def unscoped_principal(self, email: str) -> Principal:
        """Who has this address, for the operator at the command line. Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(select(*USER_COLUMNS).where(users.c.email == email)).one_or_none()
        if row is None:
            raise NotFound(f"there is no account {email}")
        return principal_of(row)

    def delete_user(self, principal: Principal, now_s: int) -> list[SiteId]:
        """Ends the account with all that is only its own; returns the sites that go with it.

        An organisation of which it is the only member goes too. Raises `BadInput` where one would be left without an
        owner, or the server without an operator.
        """
        mine = select(memberships.c.organisation_id).where(memberships.c.user_id == principal.user_id)
        with self._database.write() as connection:
            others = and_(memberships.c.user_id != principal.user_id, memberships.c.organisation_id.in_(mine))
            shared = set(connection.execute(select(memberships.c.organisation_id).where(others)).scalars())
            owned = set(
                connection.execute(
                    select(memberships.c.organisation_id).where(others, memberships.c.role == "owner")
                ).scalars()
            )
            owns = set(connection.execute(mine.where(memberships.c.role == "owner")).scalars())
            if left := (owns & shared) - owned:
                name = connection.execute(
                    select(organisations.c.name).where(organisations.c.id == min(left))
                ).scalar_one()
                raise BadInput(
                    "", f"make another member an owner of {name} first, or delete it: you are its only owner"
                )
            _refuse_last_operator(connection, principal)
            alone = set(connection.execute(mine).scalars()) - shared
            gone = delete_organisations(connection, alone, now_s)
            connection.execute(delete(users).where(users.c.id == principal.user_id))
            for number in sorted(shared):
                record(connection, principal, now_s, "member.left", principal.email, OrganisationId(number))
            record(connection, principal, now_s, "account.deleted")
        return gone

    def unscoped_credentials(self, email: str) -> Credentials | None:
        """For signing in."""
        wanted = select(users.c.id, users.c.email, users.c.password_hash, users.c.totp_confirmed_s)
        with self._database.read() as connection:
            row = connection.execute(wanted.where(users.c.email == email)).one_or_none()
        if row is None:
            return None
        return Credentials(UserId(row.id), row.email, row.password_hash, row.totp_confirmed_s is not None)

    def password_hash(self, principal: Principal) -> str:
        """One's own. Raises `NotSignedIn` where the account is gone."""
        with self._database.read() as connection:
            found = connection.execute(
                select(users.c.password_hash).where(users.c.id == principal.user_id)
            ).scalar_one_or_none()
        if found is None:
            raise NotSignedIn("sign in first")
        return str(found)

    def set_password(self, principal: Principal, password_hash: str, keep_session: bytes, now_s: int) -> None:
        """Changes one's password and ends every session but the one kept."""
        with self._database.write() as connection:
            connection.execute(update(users).where(users.c.id == principal.user_id).values(password_hash=password_hash))
            connection.execute(
                delete(sessions).where(sessions.c.user_id == principal.user_id, sessions.c.token_hash != keep_session)
            )
            connection.execute(delete(password_resets).where(password_resets.c.user_id == principal.user_id))
            record(connection, principal, now_s, "password.changed")

    def unscoped_add_reset(self, email: str, token_hash: bytes, now_s: int, expires_s: int) -> bool:
        """Keeps a link that sets a new password; False where nobody has the address."""
        with self._database.write() as connection:
            user = connection.execute(select(*USER_COLUMNS).where(users.c.email == email)).one_or_none()
            connection.execute(delete(password_resets).where(password_resets.c.expires_s <= now_s))
            if user is None:
                return False
            connection.execute(delete(password_resets).where(password_resets.c.user_id == user.id))
            connection.execute(
                insert(password_resets).values(token_hash=token_hash, user_id=user.id, expires_s=expires_s)
            )
            record(connection, principal_of(user), now_s, "password.reset_asked")
        return True

    def unscoped_has_reset(self, token_hash: bytes, now_s: int) -> bool:
        """Whether the link is good."""
        with self._database.read() as connection:
            return connection.execute(_reset(token_hash, now_s)).one_or_none() is not None

    def unscoped_reset_password(self, token_hash: bytes, password_hash: str, now_s: int) -> None:
        """Sets a new password by a link, which is used up, and ends every session. Raises `NotFound`."""
        with self._database.write() as connection:
            user = connection.execute(_reset(token_hash, now_s)).one_or_none()
            if user is None:
                raise NotFound("this link has been used or is too old; ask for a new one")
            connection.execute(delete(password_resets).where(password_resets.c.user_id == user.id))
            connection.execute(update(users).where(users.c.id == user.id).values(password_hash=password_hash))
            connection.execute(delete(sessions).where(sessions.c.user_id == user.id))
            record(connection, principal_of(user), now_s, "password.reset")

    def audit(self, principal: Principal) -> list[AuditEntry]:
        """What one did to one's own account, the latest first."""
        wanted = (
            select(audit_log)
            .where(audit_log.c.user_id == principal.user_id, audit_log.c.organisation_id.is_(None))
            .order_by(audit_log.c.id.desc())
            .limit(AUDIT_SHOWN)
        )
        with self._database.read() as connection:
            return [AuditEntry(row.at_s, row.actor, row.action, row.target) for row in connection.execute(wanted)]


def add_user(connection: Connection, email: str, password_hash: str, *, is_operator: bool, now_s: int) -> UserId:
    """Makes an account and an organisation of its own. Raises `IntegrityError` where the address is taken."""
    values = {"email": email, "password_hash": password_hash, "is_operator": is_operator, "created_s": now_s}
    user_id = connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one()
    organisation_id = connection.execute(
        insert(organisations).values(name=email[:80], created_s=now_s).returning(organisations.c.id)
    ).scalar_one()
    member = {"organisation_id": organisation_id, "user_id": user_id, "role": "owner", "created_s": now_s}
    connection.execute(insert(memberships).values(member))
    record(connection, Principal(UserId(user_id), email), now_s, "account.created")
    return UserId(user_id)


def _refuse_last_operator(connection: Connection, principal: Principal) -> None:
    operators = select(func.count()).select_from(users).where(users.c.is_operator)
    everybody = select(func.count()).select_from(users)
    is_last = principal.is_operator and connection.execute(operators).scalar_one() == 1
    if is_last and connection.execute(everybody).scalar_one() > 1:
        raise BadInput(
            "", "you are the server's only operator; make another with `turnout user create --operator` first"
        )


def _reset(token_hash: bytes, now_s: int) -> Any:
    return (
        select(*USER_COLUMNS)
        .join(password_resets, password_resets.c.user_id == users.c.id)
        .where(password_resets.c.token_hash == token_hash, password_resets.c.expires_s > now_s)
    )
