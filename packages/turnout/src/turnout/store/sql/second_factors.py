"""Statements on second factors: the secret that codes are reckoned from, and recovery codes. All block."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from turnout.errors import NotSignedIn
from turnout.model.site import Principal, UserId
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.scoping import USER_COLUMNS, principal_of, record
from turnout.store.sql.tables import recovery_codes, users


class SecondFactor(NamedTuple):
    """What codes are reckoned from. `last_step`: codes of this 30-second step and of earlier ones are used up."""

    secret: str | None
    is_confirmed: bool
    last_step: int
    recovery_codes: int


class SecondFactorRepository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def second_factor(self, user_id: UserId) -> SecondFactor:
        """What codes of an account are checked against. Raises `NotSignedIn` where it is gone."""
        wanted = select(users.c.totp_secret, users.c.totp_confirmed_s, users.c.totp_step)
        codes = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == user_id)
        with self._database.read() as connection:
            row = connection.execute(wanted.where(users.c.id == user_id)).one_or_none()
            if row is None:
                raise NotSignedIn("sign in first")
            left = connection.execute(codes).scalar_one()
        return SecondFactor(row.totp_secret, row.totp_confirmed_s is not None, row.totp_step, left)

    def offer_second_factor(self, principal: Principal, secret: str) -> str:
        """Keeps a secret to be confirmed by a code, and returns it; an older one still to be confirmed stays."""
        with self._database.write() as connection:
            fresh = and_(
                users.c.id == principal.user_id, users.c.totp_confirmed_s.is_(None), users.c.totp_secret.is_(None)
            )
            connection.execute(update(users).where(fresh).values(totp_secret=secret))
            kept = connection.execute(
                select(users.c.totp_secret).where(users.c.id == principal.user_id)
            ).scalar_one_or_none()
        return str(kept or secret)

    def confirm_second_factor(self, principal: Principal, step: int, code_hashes: list[bytes], now_s: int) -> bool:
        """Makes codes needed from now on; False where they are already."""
        with self._database.write() as connection:
            unconfirmed = and_(users.c.id == principal.user_id, users.c.totp_confirmed_s.is_(None))
            values = {"totp_confirmed_s": now_s, "totp_step": step}
            if not connection.execute(update(users).where(unconfirmed).values(values)).rowcount:
                return False
            _replace_codes(connection, principal.user_id, code_hashes)
            record(connection, principal, now_s, "second_factor.on")
        return True

    def replace_recovery_codes(self, principal: Principal, code_hashes: list[bytes], now_s: int) -> None:
        """Makes these the only ones."""
        with self._database.write() as connection:
            _replace_codes(connection, principal.user_id, code_hashes)
            record(connection, principal, now_s, "second_factor.new_recovery_codes")

    def use_step(self, user_id: UserId, step: int) -> bool:
        """Uses a code's step up; False where it, or a later one, is used up already. Of two at once, one gets True."""
        with self._database.write() as connection:
            unused = and_(users.c.id == user_id, users.c.totp_step < step)
            return bool(connection.execute(update(users).where(unused).values(totp_step=step)).rowcount)

    def use_recovery_code(self, user_id: UserId, code_hash: bytes, now_s: int) -> bool:
        """Uses a recovery code up; False where it is none. Of two at once, one gets True."""
        with self._database.write() as connection:
            mine = and_(recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash)
            if not connection.execute(delete(recovery_codes).where(mine)).rowcount:
                return False
            user = connection.execute(select(*USER_COLUMNS).where(users.c.id == user_id)).one()
            record(connection, principal_of(user), now_s, "second_factor.recovery_code_used")
        return True

    def end_second_factor(self, principal: Principal, now_s: int) -> None:
        """From now on the password is enough."""
        with self._database.write() as connection:
            values = {"totp_secret": None, "totp_confirmed_s": None}
            connection.execute(update(users).where(users.c.id == principal.user_id).values(values))
            _replace_codes(connection, principal.user_id, [])
            record(connection, principal, now_s, "second_factor.off")


def _replace_codes(connection: Connection, user_id: UserId, code_hashes: list[bytes]) -> None:
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    for code_hash in code_hashes:
        connection.execute(insert(recovery_codes).values(user_id=user_id, code_hash=code_hash))
