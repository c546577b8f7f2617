"""Accounts, sign-ins, sessions and API keys. Passwords are checked in a pool of their own: a sign-in crowd is a CPU crowd."""

from __future__ import annotations

from collections import OrderedDict

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from seawall import ThreadPool
from seawall.clock import Clock
from turnout.accounts.rules import KEY_PREFIX, check_email, check_password, check_scope, hash_secret, new_secret
from turnout.errors import NotSignedIn
from turnout.model.site import Principal, UserId
from turnout.store.sql.repository import Repository

# OWASP's second choice: 19 MiB, two passes, one lane; 40-55 ms of a core.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
REMEMBERED = 10_000


class Accounts:
    """The accounts of one Turnout. For one event loop; no method blocks it."""

    def __init__(
        self, repository: Repository, *, hashes: ThreadPool, threads: ThreadPool, clock: Clock, session_days: int
    ) -> None:
        """`hashes` checks passwords, `threads` runs statements."""
        self._repository = repository
        self._hashes = hashes
        self._threads = threads
        self._clock = clock
        self._session_s = session_days * 86_400
        # What was found by a secret's hash, and until when it holds. Everything that ends a session or a key goes through
        # this object, so nothing here outlives its row.
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()
        self._signed_out = 0
        self._nobodys_hash = HASHER.hash(new_secret())

    async def create_user(self, email: str, password: str, *, is_operator: bool = False) -> UserId:
        """Makes an account. Raises `BadInput` and `AlreadyExists` that name the field."""
        email = check_email(email)
        hashed = await self._hashes.run(HASHER.hash, check_password(password))
        return await self._threads.run(
            self._repository.add_user, email, hashed, is_operator=is_operator, now_s=self._now_s()
        )

    async def sign_in(self, email: str, password: str) -> str:
        """Begins a session and returns its token. Raises `NotSignedIn`, which does not tell whether the account exists."""
        found = await self._threads.run(self._repository.unscoped_credentials, email.strip().lower())
        # Nobody's password is checked too, so that the time taken says nothing either.
        is_right = await self._hashes.run(_matches, found.password_hash if found else self._nobodys_hash, password)
        if found is None or not is_right:
            raise NotSignedIn("no account has this e-mail and password")
        return await self._begin_session(found.user_id)

    async def sign_out(self, token: str) -> None:
        """Ends a session, at once."""
        token_hash = hash_secret(token)
        self._known.pop(token_hash, None)
        await self._threads.run(self._repository.end_session, token_hash)
        self._known.pop(token_hash, None)  # one who looked it up meanwhile may have remembered it
        self._signed_out += 1  # and one who is still looking it up must not

    async def principal_of_session(self, token: str) -> Principal | None:
        """Who holds the session, None where it is over or never was."""
        token_hash = hash_secret(token)
        known = self._remembered(token_hash)
        if known is not None:
            return known
        signed_out = self._signed_out
        found = await self._threads.run(self._repository.unscoped_principal_of_session, token_hash, self._now_s())
        if found is None:
            return None
        if signed_out != self._signed_out:
            return found[0]
        return self._remember(token_hash, *found)

    async def principal_of_key(self, key: str) -> Principal | None:
        """Who holds the API key, with its scope; None where there is none."""
        key_hash = hash_secret(key)
        known = self._remembered(key_hash)
        if known is not None:
            return known
        found = await self._threads.run(self._repository.unscoped_principal_of_key, key_hash)
        return None if found is None else self._remember(key_hash, found, float("inf"))

    async def principal_named(self, email: str) -> Principal:
        """Who has the address: for the command line. Raises `NotFound`."""
        return await self._threads.run(self._repository.unscoped_principal, check_email(email))

    async def create_key(self, principal: Principal, scope: str) -> str:
        """Makes an API key and returns it; it can't be shown again. Raises `BadInput`."""
        check_scope(scope)
        key = KEY_PREFIX + new_secret()
        await self._threads.run(self._repository.add_key, principal, hash_secret(key), key[:8], scope, self._now_s())
        return key

    async def first_account_token(self) -> str | None:
        """A new one-time token for the first account, which ends any older one; None where there is an account."""
        if await self._threads.run(self._repository.unscoped_has_users):
            return None
        token = new_secret()
        await self._threads.run(self._repository.set_first_account_link, hash_secret(token), self._now_s())
        return token

    async def is_first_account_token(self, token: str) -> bool:
        """Whether the token is the one that is good now."""
        return await self._threads.run(self._repository.has_first_account_link, hash_secret(token))

    async def create_first_account(self, token: str, email: str, password: str) -> str:
        """Makes the first account, an operator's, and returns a session's token. Of two at once, one gets `NotFound`."""
        email = check_email(email)
        hashed = await self._hashes.run(HASHER.hash, check_password(password))
        user_id = await self._threads.run(
            self._repository.add_first_user, hash_secret(token), email, hashed, self._now_s()
        )
        return await self._begin_session(user_id)

    async def _begin_session(self, user_id: UserId) -> str:
        token, now_s = new_secret(), self._now_s()
        await self._threads.run(
            self._repository.add_session, user_id, hash_secret(token), now_s, now_s + self._session_s
        )
        return token

    def _remembered(self, secret_hash: bytes) -> Principal | None:
        known = self._known.get(secret_hash)
        if known is None:
            return None
        if known[1] <= self._clock.time():
            del self._known[secret_hash]
            return None
        return known[0]

    def _remember(self, secret_hash: bytes, principal: Principal, until_s: float) -> Principal:
        self._known[secret_hash] = (principal, until_s)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return principal

    def _now_s(self) -> int:
        return int(self._clock.time())


def _matches(hashed: str, password: str) -> bool:
    if len(password) > 1_000:
        return False
    try:
        return HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
