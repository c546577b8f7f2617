"""Organisations: roles, guests, invitations, shared links, second factors, an audit log. Each account gets its own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _ref(name: str, target: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{target}.id", ondelete="CASCADE")
    return sa.Column(name, sa.Integer, key, nullable=nullable, primary_key=primary_key)


def _created() -> sa.Column[int]:
    return sa.Column("created_s", sa.Integer, nullable=False)


def upgrade() -> None:
    op.add_column("users", sa.Column("totp_secret", sa.String(64)))
    op.add_column("users", sa.Column("totp_confirmed_s", sa.Integer))
    op.add_column("users", sa.Column("totp_step", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "recovery_codes",
        _ref("user_id", "users"),
        sa.Column("code_hash", sa.LargeBinary(32), primary_key=True),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.create_table(
        "password_resets",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        _ref("user_id", "users"),
        sa.Column("expires_s", sa.Integer, nullable=False),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        _created(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "memberships",
        _ref("organisation_id", "organisations", primary_key=True),
        _ref("user_id", "users", primary_key=True),
        sa.Column("role", sa.String(8), nullable=False),
        _created(),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])
    # Each account's own organisation has the account's number.
    op.execute("INSERT INTO organisations (id, name, created_s) SELECT id, substr(email, 1, 80), created_s FROM users")
    op.execute(
        "INSERT INTO memberships (organisation_id, user_id, role, created_s)"
        " SELECT id, id, 'owner', created_s FROM users"
    )
    _rebuild_sessions()
    _rebuild_sites()
    _rebuild_api_keys()
    op.create_table(
        "site_guests",
        _ref("site_id", "sites", primary_key=True),
        _ref("user_id", "users", primary_key=True),
        sa.Column("role", sa.String(8), nullable=False),
        _created(),
    )
    op.create_index("ix_site_guests_user_id", "site_guests", ["user_id"])
    op.create_table("site_deletions", sa.Column("site_id", sa.Integer, primary_key=True), _created())
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        _ref("organisation_id", "organisations"),
        _ref("site_id", "sites", nullable=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        _ref("invited_by", "users"),
        _created(),
        sa.Column("expires_s", sa.Integer, nullable=False),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitations_organisation_id", "invitations", ["organisation_id"])
    op.create_table(
        "shared_links",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String(43), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        _ref("site_id", "sites"),
        sa.Column("password_hash", sa.String(200)),
        _created(),
        sa.UniqueConstraint("slug", name="uq_shared_links_slug"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shared_links_site_id", "shared_links", ["site_id"])
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_s", sa.Integer, nullable=False),
        sa.Column("organisation_id", sa.Integer),
        sa.Column("user_id", sa.Integer),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("target", sa.String(300), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_organisation_id", "audit_log", ["organisation_id"])
    op.create_index("ix_audit_log_user_id", "audit_log", ["user_id"])


def _rebuild_sessions() -> None:
    op.drop_index("ix_sessions_user_id", "sessions")
    op.drop_index("ix_sessions_expires_s", "sessions")
    op.rename_table("sessions", "old_sessions")
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        _ref("user_id", "users"),
        _created(),
        sa.Column("expires_s", sa.Integer, nullable=False),
        sa.Column("last_seen_s", sa.Integer, nullable=False),
        sa.Column("client", sa.String(120), nullable=False),
        sa.Column("waits_for_code", sa.Boolean, nullable=False),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_s", "sessions", ["expires_s"])
    op.execute(
        "INSERT INTO sessions (token_hash, user_id, created_s, expires_s, last_seen_s, client, waits_for_code)"
        " SELECT token_hash, user_id, created_s, expires_s, created_s, '', 0 FROM old_sessions"
    )
    op.drop_table("old_sessions")


def _rebuild_sites() -> None:
    op.drop_index("ix_sites_owner_id", "sites")
    op.rename_table("sites", "old_sites")
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        _ref("organisation_id", "organisations"),
        _created(),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.UniqueConstraint("domain", name="uq_sites_domain"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sites_organisation_id", "sites", ["organisation_id"])
    op.execute(
        "INSERT INTO sites (id, domain, timezone, organisation_id, created_s, is_public)"
        " SELECT id, domain, timezone, owner_id, created_s, 0 FROM old_sites"
    )
    # The numbers of sites deleted before are not given again.
    op.execute(
        "UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM sqlite_sequence WHERE name IN ('sites', 'old_sites'))"
        " WHERE name = 'sites'"
    )
    op.drop_table("old_sites")


def _rebuild_api_keys() -> None:
    op.rename_table("api_keys", "old_api_keys")
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("prefix", sa.String(12), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        _ref("user_id", "users"),
        _ref("organisation_id", "organisations"),
        sa.Column("name", sa.String(80), nullable=False),
        _created(),
        sa.Column("last_used_s", sa.Integer),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_keys_organisation_id", "api_keys", ["organisation_id"])
    op.execute(
        "INSERT INTO api_keys (key_hash, prefix, scope, user_id, organisation_id, name, created_s)"
        " SELECT key_hash, prefix, scope, user_id, user_id, '', created_s FROM old_api_keys"
    )
    op.drop_table("old_api_keys")
