"""How templates write moments and actions."""

from __future__ import annotations

from datetime import UTC, datetime

ACTIONS = {
    "account.created": "made the account",
    "account.deleted": "deleted the account",
    "session.begun": "signed in",
    "session.ended": "ended a session",
    "session.others_ended": "ended all other sessions",
    "password.changed": "changed the password",
    "password.reset_asked": "asked for a new password",
    "password.reset": "set a new password by mail",
    "second_factor.on": "turned the second factor on",
    "second_factor.off": "turned the second factor off",
    "second_factor.new_recovery_codes": "made new recovery codes",
    "second_factor.recovery_code_used": "used a recovery code",
    "organisation.created": "made the organisation",
    "organisation.renamed": "renamed the organisation",
    "organisation.deleted": "deleted the organisation",
    "member.invited": "invited",
    "member.invitation_withdrawn": "withdrew the invitation of",
    "member.joined": "joined",
    "member.left": "left",
    "member.removed": "removed",
    "member.role": "changed the role of",
    "guest.invited": "invited a guest:",
    "guest.joined": "joined as a guest:",
    "guest.left": "left as a guest:",
    "guest.removed": "removed a guest:",
    "key.created": "made the API key",
    "key.deleted": "deleted the API key",
    "site.created": "added the site",
    "site.timezone": "changed the time zone of",
    "site.made_public": "made public",
    "site.made_private": "made private",
    "site.deleted": "deleted the site",
    "link.created": "made the shared link",
    "link.deleted": "deleted the shared link",
}
"""Every action of the audit log in words; the actor stands before them, the target after."""


def moment(at_s: int) -> str:
    """`24 Nov 2026, 14:03 UTC`."""
    at = datetime.fromtimestamp(at_s, UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def day(at_s: int) -> str:
    """`24 Nov 2026`."""
    at = datetime.fromtimestamp(at_s, UTC)
    return f"{at.day} {at:%b %Y}"


def action_words(action: str) -> str:
    """An action of the audit log in words."""
    return ACTIONS.get(action, action)
