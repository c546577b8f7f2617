"""The tables of accounts and sites. Moments are whole seconds since 1970 UTC; secrets are SHA-256 of what was given out."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("is_operator", Boolean, nullable=False),
    Column("created_s", Integer, nullable=False),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_s", Integer, nullable=False),
    Column("expires_s", Integer, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_s"),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain", String(253), nullable=False, unique=True),
    Column("timezone", String(64), nullable=False),
    Column("owner_id", ForeignKey("users.id"), nullable=False),
    Column("created_s", Integer, nullable=False),
    Index(None, "owner_id"),
    sqlite_autoincrement=True,  # an id is never used again: events of a deleted site must not become another's
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("prefix", String(12), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_s", Integer, nullable=False),
)

first_account_links = Table(
    "first_account_links",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("created_s", Integer, nullable=False),
)
