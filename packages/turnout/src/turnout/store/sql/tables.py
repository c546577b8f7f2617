"""The tables of accounts and sites. Moments are whole seconds since 1970 UTC; secrets are SHA-256 of what was given out.

Two secrets are kept as they are, because they have to be used or shown again: a shared link's slug, which opens one
site's numbers and no more, and what a second factor's codes are reckoned from.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, text

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
)


def _now() -> Column[int]:
    return Column("created_s", Integer, nullable=False)


def _user(*, nullable: bool = False) -> Column[int]:
    return Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=nullable)


def _organisation(*, nullable: bool = False) -> Column[int]:
    return Column("organisation_id", ForeignKey("organisations.id", ondelete="CASCADE"), nullable=nullable)


def _site(*, nullable: bool = False) -> Column[int]:
    return Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), nullable=nullable)


users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("is_operator", Boolean, nullable=False),
    _now(),
    Column("totp_secret", String(64)),
    Column("totp_confirmed_s", Integer),
    Column("totp_step", Integer, nullable=False, server_default=text("0")),
    sqlite_autoincrement=True,
)
"""`totp_step` is the 30-second step of the last code that was taken: no code is good twice."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    _user(),
    Column("code_hash", LargeBinary(32), primary_key=True),
    Index(None, "user_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    _user(),
    _now(),
    Column("expires_s", Integer, nullable=False),
    Column("last_seen_s", Integer, nullable=False),
    Column("client", String(120), nullable=False),
    Column("waits_for_code", Boolean, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_s"),
    sqlite_autoincrement=True,
)
"""`waits_for_code`: the password was right, the second factor is still to come; it opens nothing yet."""

password_resets = Table(
    "password_resets",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    _user(),
    Column("expires_s", Integer, nullable=False),
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    _now(),
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    Column("organisation_id", ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(8), nullable=False),
    _now(),
    Index(None, "user_id"),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain", String(253), nullable=False, unique=True),
    Column("timezone", String(64), nullable=False),
    _organisation(),
    _now(),
    Column("is_public", Boolean, nullable=False),
    Index(None, "organisation_id"),
    sqlite_autoincrement=True,  # an id is never used again: events of a deleted site must not become another's
)

site_guests = Table(
    "site_guests",
    metadata,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(8), nullable=False),
    _now(),
    Index(None, "user_id"),
)

site_deletions = Table(
    "site_deletions",
    metadata,
    Column("site_id", Integer, primary_key=True),
    _now(),
)
"""Sites whose row is gone and whose events still have to go."""

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    _organisation(),
    _site(nullable=True),
    Column("email", String(254), nullable=False),
    Column("role", String(8), nullable=False),
    Column("invited_by", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _now(),
    Column("expires_s", Integer, nullable=False),
    Index(None, "organisation_id"),
    sqlite_autoincrement=True,
)

shared_links = Table(
    "shared_links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(43), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    _site(),
    Column("password_hash", String(200)),
    _now(),
    Index(None, "site_id"),
    sqlite_autoincrement=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("prefix", String(12), nullable=False),
    Column("scope", String(16), nullable=False),
    _user(),
    _organisation(),
    Column("name", String(80), nullable=False),
    _now(),
    Column("last_used_s", Integer),
    Index(None, "organisation_id"),
    sqlite_autoincrement=True,
)
"""A key reads what its maker may read in that organisation, for as long as its maker is a member there."""

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_s", Integer, nullable=False),
    Column("organisation_id", Integer),
    Column("user_id", Integer),
    Column("actor", String(254), nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", String(300), nullable=False),
    Index(None, "organisation_id"),
    Index(None, "user_id"),
    sqlite_autoincrement=True,
)
"""Without foreign keys: an entry outlives what it speaks of."""

first_account_links = Table(
    "first_account_links",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    _now(),
)
