"""Draws a waiting room's page in all its states, for a look and for the pictures in docs/images: no server needed.

Run: `python tools/room_states.py FOLDER` writes one HTML file for each state.
"""

from __future__ import annotations

import sys
from pathlib import Path

from seawall.admission.room_look import Look, Pages, Standing

LOGO = (
    '<svg width="26" height="26" viewBox="0 0 22 22" aria-hidden="true" fill="currentColor">'
    '<rect x="1" y="12" width="4" height="9" rx="1.4" opacity=".45"/><rect x="6.5" y="8" width="4" height="13" rx="1.4" '
    'opacity=".65"/><rect x="12" y="3" width="4" height="18" rx="1.4" opacity=".85"/></svg>'
)
STATES = {
    "waiting": Standing("waiting", 38, 99, 19.0, 1e6),
    "long": Standing("waiting", 12_846, 12_846, 2_300.0, 1e6),
    "next": Standing("waiting", 1, 99, 2.0, 1e6),
    "unknown": Standing("waiting", 5, 6, None, 1e6),
    "turn": Standing("turn", 0, 99, None, 1e6),
    "inside": Standing("inside", 0, 1, None, 1e6),
    "form": Standing("waiting", 38, 99, 75.0, 1e6, is_form=True),
    "lapsed": Standing("waiting", 38, 38, 19.0, 1e6, note="Your earlier ticket had lapsed. This is a new place."),
}


def write_states(folder: Path) -> None:
    """One file for each state."""
    pages = Pages(Look(title="Ticket office", logo=LOGO), "pages")
    for name, standing in STATES.items():
        (folder / f"{name}.html").write_bytes(pages.page(standing))


if __name__ == "__main__":
    write_states(Path(sys.argv[1]))
