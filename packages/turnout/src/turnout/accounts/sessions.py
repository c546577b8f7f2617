"""Signing in and out, sessions, and who holds an API key."""

from __future__ import annotations

from seawall import ThreadPool
from seawall.clock import Clock
from turnout.accounts.known import Known
from turnout.accounts.second_factor import SecondFactors
from turnout.credentials.passwords import Passwords
from turnout.credentials.secrets import hash_secret, new_secret
from turnout.credentials.throttle import Throttle
from turnout.errors import NotSignedIn, SecondFactorNeeded
from turnout.model.access import SessionShown
from turnout.model.site import Principal, UserId
from turnout.store.sql.people import PeopleRepository
from turnout.store.sql.sessions import SessionRepository

WINDOW_S = 900.0
FAILURES_OF_ACCOUNT = 10
FAILURES_OF_PEER = 50
"""Several people may sit behind one address."""
CODE_WAIT_S = 600


class Sessions:
    """The sessions of one Turnout. For one event loop; no method blocks it."""

    def __init__(
        self,
        repository: SessionRepository,
        people: PeopleRepository,
        second_factors: SecondFactors,
        passwords: Passwords,
        known: Known,
        *,
        threads: ThreadPool,
        clock: Clock,
        session_days: int,
    ) -> None:
        """`threads` runs statements."""
        self._repository = repository
        self._people = people
        self._second_factors = second_factors
        self._passwords = passwords
        self._known = known
        self._threads = threads
        self._clock = clock
        self._session_s = session_days * 86_400
        self._by_account = Throttle(clock, most=FAILURES_OF_ACCOUNT, window_s=WINDOW_S)
        self._by_peer = Throttle(clock, most=FAILURES_OF_PEER, window_s=WINDOW_S)

    async def sign_in(self, email: str, password: str, *, peer: str = "", client: str = "") -> str:
        """Begins a session and returns its token.

        `peer` is the address that is counted against, `client` what the session is called in lists. Raises
        `NotSignedIn`, which does not tell whether the account exists; `TooManyAttempts`, neither; and
        `SecondFactorNeeded`, whose token `give_code` takes.
        """
        account = email.strip().lower()[:254]
        self._by_peer.take(peer)
        self._by_account.take(account)
        found = await self._threads.run(self._people.unscoped_credentials, account)
        if not await self._passwords.matches(password, found and found.password_hash) or found is None:
            raise NotSignedIn("no account has this e-mail and password")
        self._by_peer.give_back(peer)
        self._by_account.give_back(account)
        seconds = CODE_WAIT_S if found.has_second_factor else self._session_s
        token = await self._begin(
            found.user_id,
            client,
            seconds,
            waits_for_code=found.has_second_factor,
            password_hash=found.password_hash,
        )
        if found.has_second_factor:
            raise SecondFactorNeeded(token)
        return token

    async def give_code(self, token: str, code: str, *, client: str = "") -> str:
        """Ends a sign-in that waited for a code, and returns its session's token.

        Raises `NotSignedIn` where it waited too long, `BadInput` for a wrong code, and `TooManyAttempts`.
        """
        token_hash = hash_secret(token)
        found = await self._threads.run(
            self._repository.unscoped_session, token_hash, self._now_s(), waits_for_code=True
        )
        if found is None:
            raise NotSignedIn("that took too long; sign in again")
        await self._second_factors.check(found.principal.user_id, code)
        session, now_s = new_secret(), self._now_s()
        if not await self._threads.run(
            self._repository.unscoped_complete_session,
            found.principal,
            token_hash,
            hash_secret(session),
            client[:120],
            now_s,
            now_s + self._session_s,
        ):
            raise NotSignedIn("that took too long; sign in again")
        return session

    async def begin(self, user_id: UserId, client: str = "") -> str:
        """Begins a session of somebody whose right to one is proven, and returns its token."""
        return await self._begin(user_id, client, self._session_s, waits_for_code=False, password_hash=None)

    async def sign_out(self, token: str) -> None:
        """Ends a session, at once."""
        await self._threads.run(self._repository.unscoped_end_session, hash_secret(token))
        self._known.forget()

    async def of(self, principal: Principal, token: str) -> list[SessionShown]:
        """One's own, the latest used first. `token` is the session that asks."""
        return await self._threads.run(self._repository.sessions, principal, hash_secret(token), self._now_s())

    async def end(self, principal: Principal, session_id: int) -> None:
        """Ends one of one's own, at once."""
        await self._threads.run(self._repository.end_session, principal, session_id, self._now_s())
        self._known.forget()

    async def end_others(self, principal: Principal, token: str) -> None:
        """Ends all of one's own but the one that asks, at once."""
        await self._threads.run(self._repository.end_other_sessions, principal, hash_secret(token), self._now_s())
        self._known.forget()

    async def principal_of_session(self, token: str) -> Principal | None:
        """Who holds the session, None where it is over or never was."""
        token_hash = hash_secret(token)
        known = self._known.find(token_hash)
        if known is not None:
            return known
        generation = self._known.generation
        found = await self._threads.run(self._repository.unscoped_session, token_hash, self._now_s())
        if found is None:
            return None
        self._known.remember(token_hash, found.principal, found.expires_s, generation)
        return found.principal

    def known_holder_of_key(self, key: str) -> Principal | None:
        """Who holds the API key, where it was asked for lately. Does not block."""
        return self._known.find(hash_secret(key))

    async def principal_of_key(self, key: str) -> Principal | None:
        """Who holds the API key, bound to its scope and organisation; None where there is none."""
        key_hash = hash_secret(key)
        known = self._known.find(key_hash)
        if known is not None:
            return known
        generation = self._known.generation
        found = await self._threads.run(self._repository.unscoped_principal_of_key, key_hash, self._now_s())
        if found is not None:
            self._known.remember(key_hash, found, self._clock.time() + KEY_KNOWN_S, generation)
        return found

    async def _begin(
        self, user_id: UserId, client: str, seconds: int, *, waits_for_code: bool, password_hash: str | None
    ) -> str:
        token, now_s = new_secret(), self._now_s()
        await self._threads.run(
            self._repository.unscoped_add_session,
            user_id,
            hash_secret(token),
            client[:120],
            now_s,
            now_s + seconds,
            waits_for_code=waits_for_code,
            password_hash=password_hash,
        )
        return token

    def _now_s(self) -> int:
        return int(self._clock.time())


KEY_KNOWN_S = 600.0
"""How long a key is taken as good without asking anew, so that its last use is noted now and then."""
