"""Every statement on accounts and sites. What a person may see is decided here, and only here.

Methods take the `Principal` who asks, and answer from what is theirs. The few that look across everybody begin with
`unscoped_` and say who may call them. All block: call them on a thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from turnout.errors import AlreadyExists, NotFound
from turnout.model.site import Principal, Site, SiteId, UserId
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.tables import api_keys, first_account_links, sessions, sites, users

_SITE = (sites.c.id, sites.c.domain, sites.c.timezone, sites.c.owner_id)
_USER = (users.c.id, users.c.email, users.c.is_operator)


class Credentials(NamedTuple):
    """What a sign-in is checked against."""

    user_id: UserId
    password_hash: str


class Repository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def sites(self, principal: Principal) -> list[Site]:
        """The sites that `principal` may see, by domain."""
        wanted = select(*_SITE).where(sites.c.owner_id == principal.user_id).order_by(sites.c.domain)
        with self._database.read() as connection:
            return [_site(row) for row in connection.execute(wanted)]

    def site(self, principal: Principal, domain: str) -> Site:
        """One of them. Raises `NotFound` for one that is not there, and just so for one that is somebody else's."""
        wanted = select(*_SITE).where(sites.c.domain == domain, sites.c.owner_id == principal.user_id)
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            raise NotFound(f"there is no site {domain}")
        return _site(row)

    def add_site(self, principal: Principal, domain: str, timezone: str, now_s: int) -> Site:
        """Makes a site of `principal`'s. Raises `AlreadyExists`."""
        values = {"domain": domain, "timezone": timezone, "owner_id": principal.user_id, "created_s": now_s}
        try:
            with self._database.write() as connection:
                row = connection.execute(insert(sites).values(values).returning(*_SITE)).one()
        except IntegrityError:
            raise AlreadyExists("domain", f"{domain} is taken") from None
        return _site(row)

    def add_key(self, principal: Principal, key_hash: bytes, prefix: str, scope: str, now_s: int) -> None:
        """Adds an API key that reads what `principal` may read."""
        values = {
            "key_hash": key_hash,
            "prefix": prefix,
            "scope": scope,
            "user_id": principal.user_id,
            "created_s": now_s,
        }
        with self._database.write() as connection:
            connection.execute(insert(api_keys).values(values))

    def unscoped_sites(self) -> list[Site]:
        """Every site: for the directory by which events find theirs."""
        with self._database.read() as connection:
            return [_site(row) for row in connection.execute(select(*_SITE))]

    def unscoped_credentials(self, email: str) -> Credentials | None:
        """For signing in."""
        with self._database.read() as connection:
            row = connection.execute(
                select(users.c.id, users.c.password_hash).where(users.c.email == email)
            ).one_or_none()
        return None if row is None else Credentials(UserId(row.id), row.password_hash)

    def unscoped_principal(self, email: str) -> Principal:
        """Who has this address, for an operator at the command line. Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(select(*_USER).where(users.c.email == email)).one_or_none()
        if row is None:
            raise NotFound(f"there is no account {email}")
        return _principal(row, frozenset({"stats", "ops"}))

    def unscoped_principal_of_session(self, token_hash: bytes, now_s: int) -> tuple[Principal, int] | None:
        """Who holds a session and until when (seconds since 1970): for authentication."""
        wanted = (
            select(*_USER, sessions.c.expires_s)
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(sessions.c.token_hash == token_hash, sessions.c.expires_s > now_s)
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else (_principal(row, frozenset({"stats"})), row.expires_s)

    def unscoped_principal_of_key(self, key_hash: bytes) -> Principal | None:
        """Who holds an API key, with its scope: for authentication."""
        wanted = (
            select(*_USER, api_keys.c.scope)
            .join(api_keys, api_keys.c.user_id == users.c.id)
            .where(api_keys.c.key_hash == key_hash)
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else _principal(row, frozenset({row.scope}))

    def unscoped_has_users(self) -> bool:
        """Whether there is any account: for the first start."""
        with self._database.read() as connection:
            return bool(connection.execute(select(func.count()).select_from(users)).scalar_one())

    def add_user(self, email: str, password_hash: str, *, is_operator: bool, now_s: int) -> UserId:
        """Makes an account. Raises `AlreadyExists`."""
        values = {"email": email, "password_hash": password_hash, "is_operator": is_operator, "created_s": now_s}
        try:
            with self._database.write() as connection:
                return UserId(connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one())
        except IntegrityError:
            raise AlreadyExists("email", f"there is an account {email} already") from None

    def add_first_user(self, token_hash: bytes, email: str, password_hash: str, now_s: int) -> UserId:
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
            values = {"email": email, "password_hash": password_hash, "is_operator": True, "created_s": now_s}
            return UserId(connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one())

    def set_first_account_link(self, token_hash: bytes, now_s: int) -> None:
        """Makes this the only link that creates the first account."""
        with self._database.write() as connection:
            connection.execute(delete(first_account_links))
            connection.execute(insert(first_account_links).values(token_hash=token_hash, created_s=now_s))

    def has_first_account_link(self, token_hash: bytes) -> bool:
        """Whether this link is good."""
        wanted = select(first_account_links.c.created_s).where(first_account_links.c.token_hash == token_hash)
        with self._database.read() as connection:
            return connection.execute(wanted).one_or_none() is not None

    def add_session(self, user_id: UserId, token_hash: bytes, now_s: int, expires_s: int) -> None:
        """Begins a session, and clears away those that are over."""
        values = {"token_hash": token_hash, "user_id": user_id, "created_s": now_s, "expires_s": expires_s}
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_s <= now_s))
            connection.execute(insert(sessions).values(values))

    def end_session(self, token_hash: bytes) -> None:
        """Ends a session; nothing where there is none."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def _site(row: Row[*tuple[Any, ...]]) -> Site:
    return Site(SiteId(row.id), row.domain, row.timezone, UserId(row.owner_id))


def _principal(row: Row[*tuple[Any, ...]], scopes: frozenset[str]) -> Principal:
    return Principal(UserId(row.id), row.email, bool(row.is_operator), scopes)
