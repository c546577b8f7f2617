"""Secrets that are given out: sessions, keys, links. Pure but for the random bits."""

from __future__ import annotations

import secrets
from hashlib import sha256


def new_secret() -> str:
    """256 random bits as text, for sessions, keys and links."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret. Its 256 random bits need no slow hash; nobody can guess at them."""
    return sha256(secret.encode(errors="replace")).digest()
