"""What Turnout writes to people. Plain text, one purpose a letter, nothing personal but the address. Pure."""

from __future__ import annotations

from turnout.mail import Letter


def reset_letter(email: str, link: str) -> Letter:
    """The link to a new password."""
    return Letter(
        to=email,
        subject="Choose a new password for Turnout",
        text=(
            "Somebody, probably you, asked for a new password for your account.\n\n"
            f"Choose it here, within an hour; the link works once:\n{link}\n\n"
            "If it wasn't you, do nothing: your password stays as it is.\n"
        ),
    )


def invitation_letter(email: str, inviter: str, what: str, role: str, link: str) -> Letter:
    """The link that accepts an invitation. `what` is the organisation's name or the site's domain."""
    return Letter(
        to=email,
        subject=f"{inviter} invites you to {what} on Turnout",
        text=(
            f"{inviter} invites you to {what} as {role}.\n\n"
            f"Accept here, within two weeks; the link works once:\n{link}\n\n"
            "If you don't know what this is about, do nothing.\n"
        ),
    )
