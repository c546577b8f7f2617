"""Second factors: time-based codes (RFC 6238) from an app, and recovery codes for when it is lost."""

from __future__ import annotations

import hmac

import pyotp

from seawall import ThreadPool
from seawall.clock import Clock
from turnout.accounts.rules import new_recovery_codes, plain_code
from turnout.credentials.secrets import hash_secret
from turnout.credentials.throttle import Throttle
from turnout.errors import BadInput
from turnout.model.site import Principal, UserId
from turnout.store.sql.second_factors import SecondFactor, SecondFactorRepository

ISSUER = "Turnout"
STEP_S = 30
DRIFT_STEPS = 1
"""Clocks may differ by this many steps."""
WRONG_CODES = 6
WINDOW_S = 900.0
_WRONG = "that is not the code of now; take the newest one from the app, or a recovery code"


class SecondFactors:
    """Second factors of one Turnout. For one event loop; no method blocks it."""

    def __init__(self, repository: SecondFactorRepository, *, threads: ThreadPool, clock: Clock) -> None:
        self._repository = repository
        self._threads = threads
        self._clock = clock
        self._guesses = Throttle(clock, most=WRONG_CODES, window_s=WINDOW_S)

    async def of(self, principal: Principal) -> SecondFactor:
        """Whether it is on, and how many recovery codes are left."""
        return await self._threads.run(self._repository.second_factor, principal.user_id)

    async def offer(self, principal: Principal) -> tuple[str, str]:
        """A secret to put into an app, and its `otpauth:` address. Nothing is asked for until `confirm`."""
        secret = await self._threads.run(self._repository.offer_second_factor, principal, pyotp.random_base32())
        return secret, pyotp.TOTP(secret).provisioning_uri(name=principal.email, issuer_name=ISSUER)

    async def confirm(self, principal: Principal, code: str) -> list[str]:
        """Turns it on with a first code, and returns the recovery codes; they can't be shown again. Raises `BadInput`."""
        factor = await self._threads.run(self._repository.second_factor, principal.user_id)
        self._guesses.take(str(principal.user_id))
        step = self._step_of(factor, code)
        if step is None or factor.is_confirmed:
            raise BadInput("code", _WRONG if not factor.is_confirmed else "it is on already")
        self._guesses.give_back(str(principal.user_id))
        codes = new_recovery_codes()
        hashes = [hash_secret(plain_code(each)) for each in codes]
        if not await self._threads.run(
            self._repository.confirm_second_factor, principal, step, hashes, int(self._clock.time())
        ):
            raise BadInput("code", "it is on already")
        return codes

    async def check(self, user_id: UserId, code: str) -> None:
        """Uses a code up. Raises `BadInput` for a wrong or used one, `TooManyAttempts`."""
        name = str(user_id)
        self._guesses.take(name)
        if not await self._is_good(user_id, code):
            raise BadInput("code", _WRONG)
        self._guesses.give_back(name)

    async def new_recovery_codes(self, principal: Principal, code: str) -> list[str]:
        """Recovery codes in place of all older ones, for a code. Raises as `check` does."""
        await self.check(principal.user_id, code)
        codes = new_recovery_codes()
        hashes = [hash_secret(plain_code(each)) for each in codes]
        await self._threads.run(self._repository.replace_recovery_codes, principal, hashes, int(self._clock.time()))
        return codes

    async def end(self, principal: Principal, code: str) -> None:
        """Turns it off, for a code. Raises as `check` does."""
        await self.check(principal.user_id, code)
        await self._threads.run(self._repository.end_second_factor, principal, int(self._clock.time()))

    async def _is_good(self, user_id: UserId, code: str) -> bool:
        factor = await self._threads.run(self._repository.second_factor, user_id)
        if not factor.is_confirmed:
            return False
        step = self._step_of(factor, code)
        if step is not None:
            return await self._threads.run(self._repository.use_step, user_id, step)
        typed = plain_code(code)
        if len(typed) != 16:
            return False
        now_s = int(self._clock.time())
        return await self._threads.run(self._repository.use_recovery_code, user_id, hash_secret(typed), now_s)

    def _step_of(self, factor: SecondFactor, code: str) -> int | None:
        """The step whose code this is, among those that clocks allow; None where there is none."""
        typed = plain_code(code)
        if factor.secret is None or len(typed) != 6 or not typed.isascii():
            return None
        now = int(self._clock.time()) // STEP_S
        totp = pyotp.TOTP(factor.secret)
        good = [
            step
            for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
            if hmac.compare_digest(totp.generate_otp(step), typed)
        ]
        return good[0] if good else None
