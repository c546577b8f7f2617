"""The waiting room: where people at browsers wait for a dashboard, or to sign in, when more have come than can be served."""

from __future__ import annotations

from pathlib import Path

from seawall.asgi import Look, Scope, WaitingRoom

WORKLOADS = ("dashboard", "sign-in")
"""What has a room: see `workloads.py`. Every other page asks again by itself."""

# The accents of static/css/tokens.css: the room's page asks for no file, so that it can't read them there.
ACCENT, ACCENT_DARK = "#0b7069", "#45c6b9"
LOGO = Path(__file__).parent / "templates" / "_logo.svg"


def make_room(key: str) -> WaitingRoom:
    """The rooms. With the same `key` whoever waits keeps the place over a restart, and whoever is in stays in."""
    look = Look(
        title="Turnout",
        message="More people are here than can be served at once. You keep your place.",
        accent=ACCENT,
        accent_dark=ACCENT_DARK,
        logo=LOGO.read_text(encoding="utf-8").strip(),
    )
    return WaitingRoom(WORKLOADS, key=key.encode(), look=look)


def is_person(scope: Scope) -> bool:
    """Whether a request is a page that somebody opens, or comes from the page of the room; all others are refused at once.

    What stands in another site's page is not: browsers keep cookies from it, so it could never keep a place.
    """
    wants_page, goes = False, b""
    for name, value in scope["headers"]:
        if name == b"accept":
            wants_page = b"text/html" in value
        elif name == b"sec-fetch-dest":
            goes = value
        elif name == b"waiting-room":
            return True
    return wants_page and goes in (b"document", b"")


def is_look(scope: Scope) -> bool:
    """Whether it is the page of the room that looks how it stands."""
    return any(name == b"waiting-room" for name, _ in scope["headers"])
