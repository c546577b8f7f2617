"""What an account may be called, how long a password is, what a secret looks like. Pure."""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

from turnout.errors import BadInput

PASSWORD_LENGTH = (10, 1_000)
SCOPES = ("stats", "ops")
KEY_PREFIX = "tk_"

# One @, something on both sides, a dot in the domain: whether it works is for a letter to show.
_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+")


def check_email(email: str) -> str:
    """The address as it is kept: trimmed, in lower case. Raises `BadInput`."""
    email = email.strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise BadInput("email", "expected an address such as ada@example.org")
    return email


def check_password(password: str) -> str:
    """The password itself. Raises `BadInput` when it is too short to hold, or long enough to be an attack."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        raise BadInput("password", f"expected {shortest} to {longest} characters, got {len(password)}")
    return password


def check_scope(scope: str) -> str:
    """The scope itself. Raises `BadInput`."""
    if scope not in SCOPES:
        raise BadInput("scope", f"expected one of {', '.join(SCOPES)}, got {scope!r}")
    return scope


def new_secret() -> str:
    """256 random bits as text, for sessions, keys and links."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret. Its 256 random bits need no slow hash; nobody can guess at them."""
    return sha256(secret.encode(errors="replace")).digest()
