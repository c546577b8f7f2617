"""What accounts and organisations may be called, and the roles and scopes there are. Pure."""

from __future__ import annotations

import re
import secrets
from base64 import b32encode
from textwrap import wrap

from turnout.errors import BadInput
from turnout.model.access import ROLES, Role

SCOPES = ("stats", "ops")
KEY_PREFIX = "tk_"
JOINERS = "\u200c\u200d"
"""Not seen themselves, but needed to write Persian, and emoji of several."""

# One @, something on both sides, dots between the domain's parts: whether it works is for a letter to show. None of what
# means something else in a letter's header, where `a<b@example.org` is b's address and `a,b@example.org` are two.
_PART = r"""[^@.\s()<>\[\]:;,\\"]+"""
_EMAIL = re.compile(rf"(?!.*=\?){_PART}(\.{_PART})*@{_PART}(\.{_PART})+")


def check_email(email: str) -> str:
    """The address as it is kept: trimmed, in lower case. Raises `BadInput`."""
    email = email.strip().lower()
    if len(email) > 254 or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise BadInput("email", "expected an address such as ada@example.org")
    return email


def check_scope(scope: str) -> str:
    """The scope itself. Raises `BadInput`."""
    if scope not in SCOPES:
        raise BadInput("scope", f"expected one of {', '.join(SCOPES)}, got {scope!r}")
    return scope


def check_name(name: str, field: str = "name") -> str:
    """A name of something as people write it, trimmed. Raises `BadInput`."""
    text = " ".join(name.split())
    if not 1 <= len(text) <= 80:
        raise BadInput(field, f"expected 1 to 80 characters, got {len(text)}")
    for character in text:
        if not character.isprintable() and character not in JOINERS:
            raise BadInput(field, f"expected characters that can be seen, got U+{ord(character):04X}")
    return text


def check_role(role: str, allowed: tuple[Role, ...] = ROLES) -> Role:
    """The role itself. Raises `BadInput`."""
    for one in allowed:
        if role == one:
            return one
    raise BadInput("role", f"expected one of {', '.join(allowed)}, got {role[:40]!r}")


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits, in groups that people can copy."""
    return ["-".join(wrap(b32encode(secrets.token_bytes(10)).decode().lower(), 4)) for _ in range(10)]


def plain_code(typed: str) -> str:
    """A recovery code or a code of an app as it is compared: without what people put between the characters."""
    return re.sub(r"[\s-]", "", typed).lower()[:64]
