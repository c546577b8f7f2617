"""What is asked of Turnout, by the number of who asks; and until when an answer is any good."""

from __future__ import annotations

from typing import Literal

Kind = Literal["event", "dashboard", "sign-in"]

EMAIL = "lab@turnout.example"
PASSWORD = "a crowd is coming"
SITES = ("one.example", "two.example", "three.example", "four.example")
VIEWS = ("", "&f=is,visit:device,Mobile", "&f=contains,event:page,/blog")
PAGES = tuple(
    f"/sites/{site}?period={period}{view}"
    for view in VIEWS
    for period in ("today", "7d", "28d", "month", "12mo")
    for site in SITES
)
"""The sixty dashboards that are opened, one after the other."""

PATIENCE_S: dict[str, float] = {"event": 5.0, "dashboard": 5.0, "sign-in": 10.0}
"""Who has no answer by then has left. Whoever signs in is shown their place in line, and waits longer."""

GOOD_WITHIN_MS: dict[str, float] = {"event": 5_000.0, "dashboard": 1_000.0, "sign-in": 10_000.0}
"""From the moment at which the request was meant to be sent. Nobody looks at a tracker's answer, so it has its patience."""


def kind_of(number: int) -> Kind:
    """What the person of this number comes for."""
    if number % 20 == 19:
        return "sign-in"
    return "dashboard" if number % 2 else "event"


def path_of(number: int) -> str:
    """The page that this visitor, and no other, looks at: so each event can be asked for by itself."""
    return f"/lab/{number}"
