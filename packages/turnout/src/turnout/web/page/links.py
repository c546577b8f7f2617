"""A link that changes one thing of the view."""

from __future__ import annotations

import msgspec

from turnout.web.page.state import Pairs, View, write_view


class Choice(msgspec.Struct, frozen=True):
    """One of several. `key`: the letter that chooses it, empty where there is none."""

    label: str
    href: str
    is_chosen: bool
    key: str = ""


def address(view: View, extra: Pairs = (), anchor: str = "", **changes: object) -> str:
    """The address of the view with some fields changed."""
    return write_view(msgspec.structs.replace(view, **changes), extra) + (f"#{anchor}" if anchor else "")
