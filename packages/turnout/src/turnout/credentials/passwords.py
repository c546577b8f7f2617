"""Passwords: hashed with Argon2id in a pool of its own, since a sign-in crowd is a CPU crowd."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from seawall import ThreadPool
from turnout.credentials.secrets import new_secret
from turnout.errors import BadInput

# OWASP's second choice: 19 MiB, two passes, one lane; 40-55 ms of a core.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
LENGTH = (10, 1_000)


def check_password(password: str) -> str:
    """The password itself. Raises `BadInput` when it is too short to hold, or long enough to be an attack."""
    shortest, longest = LENGTH
    if not shortest <= len(password) <= longest:
        raise BadInput("password", f"expected {shortest} to {longest} characters, got {len(password)}")
    return password


class Passwords:
    """Makes and checks hashes. Does not block the loop."""

    def __init__(self, hashes: ThreadPool) -> None:
        self._hashes = hashes
        self._nobodys = HASHER.hash(new_secret())

    async def hash(self, password: str) -> str:
        """The hash of a password that is long enough. Raises `BadInput`."""
        return await self._hashes.run(HASHER.hash, check_password(password))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the hash's. Nobody's hash (None) is checked too, so that time says nothing."""
        is_right = await self._hashes.run(_matches, hashed or self._nobodys, password)
        return is_right and hashed is not None


def _matches(hashed: str, password: str) -> bool:
    if len(password) > LENGTH[1]:
        return False
    try:
        return HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
