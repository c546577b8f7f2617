"""Accounts: making them, their passwords, ending them."""

from __future__ import annotations

import asyncio
import logging

from seawall import ThreadPool
from seawall.clock import Clock
from turnout.accounts.known import Known
from turnout.accounts.letters import reset_letter
from turnout.accounts.rules import check_email
from turnout.accounts.sessions import Sessions
from turnout.credentials.passwords import Passwords
from turnout.credentials.secrets import hash_secret, new_secret
from turnout.credentials.throttle import Throttle
from turnout.errors import BadInput, NotFound, TurnoutError
from turnout.mail import Outbox
from turnout.model.access import AuditEntry
from turnout.model.site import Principal, SiteId, UserId
from turnout.store.sql.people import PeopleRepository

RESET_S = 3_600
RESETS_OF_ACCOUNT = 3
RESETS_OF_PEER = 20
WINDOW_S = 3_600.0
WRONG_PASSWORDS = 10

_LOG = logging.getLogger("turnout.accounts")


class Accounts:
    """The accounts of one Turnout. For one event loop; no method blocks it."""

    def __init__(
        self,
        repository: PeopleRepository,
        sessions: Sessions,
        passwords: Passwords,
        known: Known,
        outbox: Outbox,
        *,
        threads: ThreadPool,
        clock: Clock,
    ) -> None:
        """`threads` runs statements."""
        self._repository = repository
        self._sessions = sessions
        self._passwords = passwords
        self._known = known
        self._outbox = outbox
        self._threads = threads
        self._clock = clock
        self._resets = Throttle(clock, most=RESETS_OF_ACCOUNT, window_s=WINDOW_S)
        self._resets_of_peer = Throttle(clock, most=RESETS_OF_PEER, window_s=WINDOW_S)
        self._guesses = Throttle(clock, most=WRONG_PASSWORDS, window_s=WINDOW_S)
        self._posting: set[asyncio.Task[None]] = set()

    async def create_user(self, email: str, password: str, *, is_operator: bool = False) -> UserId:
        """Makes an account with an organisation of its own. Raises `BadInput` and `AlreadyExists` that name the field."""
        email = check_email(email)
        hashed = await self._passwords.hash(password)
        return await self._threads.run(
            self._repository.unscoped_add_user, email, hashed, is_operator=is_operator, now_s=self._now_s()
        )

    async def principal_named(self, email: str) -> Principal:
        """Who has the address: for the command line. Raises `NotFound`."""
        return await self._threads.run(self._repository.unscoped_principal, check_email(email))

    async def first_account_token(self) -> str | None:
        """A new one-time token for the first account, which ends any older one; None where there is an account."""
        if await self._threads.run(self._repository.unscoped_has_users):
            return None
        token = new_secret()
        await self._threads.run(self._repository.unscoped_set_first_account_link, hash_secret(token), self._now_s())
        return token

    async def is_first_account_token(self, token: str) -> bool:
        """Whether the token is the one that is good now."""
        return await self._threads.run(self._repository.unscoped_has_first_account_link, hash_secret(token))

    async def create_first_account(self, token: str, email: str, password: str, *, client: str = "") -> str:
        """Makes the first account, an operator's, and returns a session's token. Of two at once, one gets `NotFound`."""
        email = check_email(email)
        if not await self.is_first_account_token(
            token
        ):  # before the hash: nobody shall make this server work for nothing
            raise NotFound(
                "this link has been used, or is not the newest; the server prints one while it has no account"
            )
        hashed = await self._passwords.hash(password)
        user_id = await self._threads.run(
            self._repository.unscoped_add_first_user, hash_secret(token), email, hashed, self._now_s()
        )
        return await self._sessions.begin(user_id, client)

    async def check_own_password(self, principal: Principal, password: str, field: str = "password") -> None:
        """Proves that it is still the same person. Raises `BadInput` that names `field`, and `TooManyAttempts`."""
        name = str(principal.user_id)
        self._guesses.take(name)
        hashed = await self._threads.run(self._repository.password_hash, principal)
        if not await self._passwords.matches(password, hashed):
            raise BadInput(field, "that is not your password")
        self._guesses.give_back(name)

    async def change_password(self, principal: Principal, token: str, old: str, new: str) -> None:
        """Sets a new password and ends every session but the one that asks. Raises as `check_own_password` does."""
        await self.check_own_password(principal, old, "old_password")
        try:
            hashed = await self._passwords.hash(new)
        except BadInput as bad:
            raise BadInput("new_password", bad.problem) from None
        await self._threads.run(self._repository.set_password, principal, hashed, hash_secret(token), self._now_s())
        self._known.forget()

    def ask_for_reset(self, email: str, address: str, *, peer: str = "") -> None:
        """Has a link to a new password sent to whoever has the e-mail. `address` is this server's.

        Returns at once, whether anybody has it or not, so that the time taken says nothing. Raises `BadInput`,
        `TooManyAttempts`.
        """
        email = check_email(email)
        self._resets_of_peer.take(peer)
        self._resets.take(email)
        posting = asyncio.create_task(self._post_reset(email, address), name="password reset")
        self._posting.add(posting)
        posting.add_done_callback(self._posting.discard)

    async def is_reset_token(self, token: str) -> bool:
        """Whether the link with this token is good."""
        return await self._threads.run(self._repository.unscoped_has_reset, hash_secret(token), self._now_s())

    async def reset_password(self, token: str, password: str) -> None:
        """Sets a new password by a link and ends every session. Raises `BadInput`, `NotFound`."""
        if not await self.is_reset_token(token):  # before the hash, likewise
            raise NotFound("this link has been used or is too old; ask for a new one")
        hashed = await self._passwords.hash(password)
        await self._threads.run(self._repository.unscoped_reset_password, hash_secret(token), hashed, self._now_s())
        self._known.forget()

    async def audit(self, principal: Principal) -> list[AuditEntry]:
        """What one did to one's own account, the latest first."""
        return await self._threads.run(self._repository.audit, principal)

    async def delete(self, principal: Principal, password: str) -> list[SiteId]:
        """Ends one's account; returns the sites that went with it. Raises `BadInput` that says what stands against it."""
        await self.check_own_password(principal, password)
        gone = await self._threads.run(self._repository.delete_user, principal, self._now_s())
        self._known.forget()
        return gone

    async def _post_reset(self, email: str, address: str) -> None:
        token, now_s = new_secret(), self._now_s()
        try:
            is_known = await self._threads.run(
                self._repository.unscoped_add_reset, email, hash_secret(token), now_s, now_s + RESET_S
            )
            if is_known:
                await self._threads.run(self._outbox.post, reset_letter(email, f"{address}/reset/{token}"))
        except TurnoutError:
            _LOG.exception("a link to a new password could not be sent")

    def _now_s(self) -> int:
        return int(self._clock.time())
