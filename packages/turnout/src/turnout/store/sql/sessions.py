"""Statements on sessions and on who holds an API key: how a request becomes somebody's. All block."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, insert, select, update

from turnout.errors import NotSignedIn, StoreUnavailable
from turnout.model.access import SessionShown
from turnout.model.site import OrganisationId, Principal, UserId
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.scoping import USER_COLUMNS, principal_of, record
from turnout.store.sql.tables import api_keys, memberships, sessions, users

SEEN_STEP_S = 600
"""How often a session's or key's last use is written, at the most."""
MOST_SESSIONS = 100
"""Of one person; the oldest give way."""


class SignedIn(NamedTuple):
    """Who holds a session, until when, and which of theirs it is."""

    principal: Principal
    expires_s: int
    session_id: int


class SessionRepository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def unscoped_add_session(
        self,
        user_id: UserId,
        token_hash: bytes,
        client: str,
        now_s: int,
        expires_s: int,
        *,
        waits_for_code: bool,
        password_hash: str | None,
    ) -> None:
        """Begins a session, and clears away those that are over.

        `password_hash`: what the password was checked against, if one was. Raises `NotSignedIn` where it is another now:
        a new password ends every session, also those that were just beginning.
        """
        values = {
            "token_hash": token_hash,
            "user_id": user_id,
            "created_s": now_s,
            "expires_s": expires_s,
            "last_seen_s": now_s,
            "client": client,
            "waits_for_code": waits_for_code,
        }
        with self._database.write(keeps_rights=True) as connection:
            wanted = select(*USER_COLUMNS, users.c.password_hash).where(users.c.id == user_id)
            user = connection.execute(wanted).one_or_none()
            if user is None or password_hash not in (None, user.password_hash):
                raise NotSignedIn("sign in first")
            connection.execute(delete(sessions).where(sessions.c.expires_s <= now_s))
            connection.execute(insert(sessions).values(values))
            newest = (select(sessions.c.id).where(sessions.c.user_id == user_id).order_by(sessions.c.id.desc())).limit(
                MOST_SESSIONS
            )
            connection.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id.not_in(newest)))
            if not waits_for_code:
                record(connection, principal_of(user), now_s, "session.begun", client)

    def unscoped_complete_session(
        self, principal: Principal, waiting_hash: bytes, token_hash: bytes, client: str, now_s: int, expires_s: int
    ) -> bool:
        """Makes a session that waited for its code a whole one, under another token; False where it is over meanwhile.

        Of two at once, one gets True.
        """
        waiting = and_(
            sessions.c.token_hash == waiting_hash, sessions.c.waits_for_code.is_(True), sessions.c.expires_s > now_s
        )
        values = {
            "token_hash": token_hash,
            "created_s": now_s,
            "expires_s": expires_s,
            "last_seen_s": now_s,
            "client": client,
            "waits_for_code": False,
        }
        with self._database.write(keeps_rights=True) as connection:
            if not connection.execute(update(sessions).where(waiting).values(values)).rowcount:
                return False
            record(connection, principal, now_s, "session.begun", client)
        return True

    def unscoped_session(self, token_hash: bytes, now_s: int, *, waits_for_code: bool = False) -> SignedIn | None:
        """Who holds a session: for authentication. `waits_for_code`: one whose second factor is still to come."""
        wanted = (
            select(*USER_COLUMNS, sessions.c.expires_s, sessions.c.id.label("session_id"), sessions.c.last_seen_s)
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(
                sessions.c.token_hash == token_hash,
                sessions.c.expires_s > now_s,
                sessions.c.waits_for_code == waits_for_code,
            )
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        if row.last_seen_s < now_s - SEEN_STEP_S:
            self._see(sessions, sessions.c.id == row.session_id, {"last_seen_s": now_s})
        return SignedIn(principal_of(row), row.expires_s, row.session_id)

    def sessions(self, principal: Principal, this_token_hash: bytes, now_s: int) -> list[SessionShown]:
        """One's own, the newest first."""
        wanted = (
            select(sessions)
            .where(sessions.c.user_id == principal.user_id, sessions.c.expires_s > now_s)
            .where(sessions.c.waits_for_code.is_(False))
            .order_by(sessions.c.last_seen_s.desc(), sessions.c.id.desc())
        )
        with self._database.read() as connection:
            return [
                SessionShown(row.id, row.client, row.created_s, row.last_seen_s, row.token_hash == this_token_hash)
                for row in connection.execute(wanted)
            ]

    def unscoped_end_session(self, token_hash: bytes) -> None:
        """Ends the session of whoever holds its token; nothing where there is none."""
        with self._database.write(keeps_rights=True) as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    def end_session(self, principal: Principal, session_id: int, now_s: int) -> None:
        """Ends one of one's own; nothing where there is none of that number."""
        with self._database.write(keeps_rights=True) as connection:
            mine = and_(sessions.c.user_id == principal.user_id, sessions.c.id == session_id)
            if connection.execute(delete(sessions).where(mine)).rowcount:
                record(connection, principal, now_s, "session.ended")

    def end_other_sessions(self, principal: Principal, keep_session: bytes, now_s: int) -> None:
        """Ends all of one's own but one."""
        with self._database.write(keeps_rights=True) as connection:
            others = and_(sessions.c.user_id == principal.user_id, sessions.c.token_hash != keep_session)
            connection.execute(delete(sessions).where(others))
            record(connection, principal, now_s, "session.others_ended")

    def unscoped_principal_of_key(self, key_hash: bytes, now_s: int) -> Principal | None:
        """Who made an API key, bound to its scope and organisation, while a member there: for authentication."""
        member = and_(
            memberships.c.user_id == api_keys.c.user_id, memberships.c.organisation_id == api_keys.c.organisation_id
        )
        wanted = (
            select(
                *USER_COLUMNS,
                api_keys.c.id.label("key_id"),
                api_keys.c.scope,
                api_keys.c.organisation_id,
                api_keys.c.last_used_s,
            )
            .join(api_keys, api_keys.c.user_id == users.c.id)
            .join(memberships, member)
            .where(api_keys.c.key_hash == key_hash)
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        if row.last_used_s is None or row.last_used_s < now_s - SEEN_STEP_S:
            self._see(api_keys, api_keys.c.id == row.key_id, {"last_used_s": now_s})
        bound = OrganisationId(row.organisation_id)
        return Principal(UserId(row.id), row.email, bool(row.is_operator), frozenset({row.scope}), bound)

    def _see(self, table: Any, where: Any, values: dict[str, int]) -> None:
        # That it is not known is no reason to turn its holder away.
        with contextlib.suppress(StoreUnavailable), self._database.write(keeps_rights=True) as connection:
            connection.execute(update(table).where(where).values(values))
