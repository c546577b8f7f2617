"""Statements on API keys and on an organisation's audit log. Scoped by `scoping.py`. All block."""

from __future__ import annotations

from sqlalchemy import and_, delete, func, insert, select

from turnout.errors import BadInput, NotAllowed
from turnout.model.access import ApiKey, AuditEntry
from turnout.model.site import OrganisationId, Principal
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.scoping import organisation_access, record
from turnout.store.sql.tables import api_keys, audit_log, users

AUDIT_SHOWN = 200
MOST_KEYS = 100


class KeyRepository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def add_key(
        self,
        principal: Principal,
        organisation_id: OrganisationId,
        key_hash: bytes,
        prefix: str,
        scope: str,
        name: str,
        now_s: int,
    ) -> None:
        """Adds an API key. One of scope `ops` is for operators alone."""
        values = {
            "key_hash": key_hash,
            "prefix": prefix,
            "scope": scope,
            "user_id": principal.user_id,
            "organisation_id": organisation_id,
            "name": name,
            "created_s": now_s,
        }
        with self._database.write() as connection:
            organisation_access(connection, principal, organisation_id, "manage_keys")
            if scope == "ops" and not principal.is_operator:
                raise NotAllowed("a key of scope ops is for operators of this server")
            count = select(func.count()).select_from(api_keys).where(api_keys.c.organisation_id == organisation_id)
            if connection.execute(count).scalar_one() >= MOST_KEYS:
                raise BadInput("name", f"expected at most {MOST_KEYS} keys an organisation; delete some first")
            connection.execute(insert(api_keys).values(values))
            record(connection, principal, now_s, "key.created", f"{prefix}… {name}".strip(), organisation_id)

    def keys(self, principal: Principal, organisation_id: OrganisationId) -> list[ApiKey]:
        """All keys, the newest first; none for whoever may not manage them."""
        wanted = (
            select(api_keys, users.c.email)
            .join(users, users.c.id == api_keys.c.user_id)
            .where(api_keys.c.organisation_id == organisation_id)
            .order_by(api_keys.c.id.desc())
        )
        with self._database.read() as connection:
            own = organisation_access(connection, principal, organisation_id, "see_organisation")
            if "manage_keys" not in own.rights:
                return []
            return [
                ApiKey(row.id, row.name, row.prefix, row.scope, row.email, row.created_s, row.last_used_s)
                for row in connection.execute(wanted)
            ]

    def delete_key(self, principal: Principal, organisation_id: OrganisationId, number: int, now_s: int) -> None:
        """Ends a key; nothing where there is none of that number."""
        mine = and_(api_keys.c.id == number, api_keys.c.organisation_id == organisation_id)
        with self._database.write() as connection:
            organisation_access(connection, principal, organisation_id, "manage_keys")
            prefix = connection.execute(select(api_keys.c.prefix).where(mine)).scalar_one_or_none()
            if prefix is not None:
                connection.execute(delete(api_keys).where(mine))
                record(connection, principal, now_s, "key.deleted", f"{prefix}…", organisation_id)

    def audit(self, principal: Principal, organisation_id: OrganisationId) -> list[AuditEntry]:
        """The latest entries, the latest first; none for whoever may not see them."""
        wanted = (
            select(audit_log)
            .where(audit_log.c.organisation_id == organisation_id)
            .order_by(audit_log.c.id.desc())
            .limit(AUDIT_SHOWN)
        )
        with self._database.read() as connection:
            own = organisation_access(connection, principal, organisation_id, "see_organisation")
            if "see_audit" not in own.rights:
                return []
            return [AuditEntry(row.at_s, row.actor, row.action, row.target) for row in connection.execute(wanted)]
