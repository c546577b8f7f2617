"""What a waiting room looks like: its page, and the same as JSON for the page's script."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from math import ceil
from pathlib import Path
from typing import Literal

from seawall.core.room_times import told_s
from seawall.errors import Misuse

_HERE = Path(__file__).parent
SOONEST_RELOAD_S = 3.0
"""Without scripts each look draws the whole page anew, and whoever reads it should be able to."""

HEAD_MARK, ROOM_MARK = "<!--head-->", "<!--room-->"

PAGE = f"""<!doctype html>
<html lang="en">
<head>
{HEAD_MARK}
</head>
<body>
{ROOM_MARK}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a waiting room's page looks. Plain data; checked when made.

    `title` names the service, `message` says why one waits; both are text. `accent` and `accent_dark` are CSS colours for a
    light and a dark system; they colour the bar and the button, which has white and black letters on it, in that order.
    `logo` is markup for above the title, an inline SVG of about 28 pixels; an image must be a `data:` address.

    `template` replaces the page around the room: HTML with `<!--head-->` inside its head and `<!--room-->` where the
    room is to be. Its `<style>` blocks work; its policy lets nothing else in, so that a page for a crowd asks for no
    file. Raises Misuse for a template without both marks.
    """

    title: str = ""
    message: str = "Many people are here at once. You keep your place."
    accent: str = "#0b6e69"
    accent_dark: str = "#3fc1b4"
    logo: str = ""
    template: str = PAGE

    def __post_init__(self) -> None:
        if HEAD_MARK not in self.template or ROOM_MARK not in self.template:
            raise Misuse(f"the template of a waiting room needs {HEAD_MARK} in its head and {ROOM_MARK} in its body")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one who waits stands.

    `place` is 1 for who goes next and 0 for who may go in; `first_place` what it was at the beginning; `look_s` when to look
    in again, in seconds. `is_form` where a form was sent that was not taken; `note` is one sentence more.
    """

    state: Literal["waiting", "turn", "inside"]
    place: int
    first_place: int
    estimate_s: float | None
    look_s: float
    is_form: bool = False
    note: str = ""

    @property
    def progress(self) -> int:
        """How much of the way is behind, in per cent."""
        if self.state != "waiting":
            return 100
        return max(0, min(99, 100 - ceil(100 * self.place / max(self.first_place, self.place))))


class Pages:
    """Draws the room. All but the figures is put together once."""

    def __init__(self, look: Look, cookie: str) -> None:
        style = (
            (_HERE / "room.css")
            .read_text(encoding="utf-8")
            .replace("ACCENT_DARK", look.accent_dark)
            .replace("ACCENT", look.accent)
        )
        script = (_HERE / "room.js").read_text(encoding="utf-8")
        named = f" · {look.title}" if look.title else ""
        head = (
            '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="robots" content="noindex">\n<title>{escape("In line" + named)}</title>\n'
            f'<link rel="icon" href="data:,">\n<style>{style}</style>\n'
        )
        before, self._after = look.template.replace(HEAD_MARK, f"{head}{ROOM_MARK}{HEAD_MARK}", 1).split(HEAD_MARK, 1)
        # What changes: the refresh in the head, and the room.
        before, rest = before.split(ROOM_MARK, 1)
        self._before = before
        self._between, self._after = (rest + self._after).split(ROOM_MARK, 1)
        self._script = f"<script>{script}</script>"
        self._brand = "".join((look.logo, f"<span>{escape(look.title)}</span>" if look.title else ""))
        self._message = escape(look.message)
        self._cookie = escape(cookie)
        self.policy = _policy(self._before + self._between + self._after + self._script).encode()

    def page(self, standing: Standing) -> bytes:
        """The page."""
        reload_s = ceil(max(SOONEST_RELOAD_S, standing.look_s))
        reloads = f'<noscript><meta http-equiv="refresh" content="{reload_s}"></noscript>\n'
        refresh = "" if standing.is_form else reloads
        words = words_of(standing)
        brand = f'<p class="brand">{self._brand}</p>' if self._brand else ""
        note = f'<p class="soft">{escape(standing.note)}</p>' if standing.note else ""
        sends = ' <button type="button" hidden>Send it again</button>' if standing.is_form else ""
        room = (
            f'<main class="room" data-room="{self._cookie}" data-look="{standing.look_s:.1f}" data-state="{standing.state}">'
            f'{brand}<h1>{words["heading"]}</h1><p class="soft">{self._message}</p>'
            f'<p class="place"><b>{words["count"]}</b> <span>{words["unit"]}</span></p><p class="time">{words["time"]}</p>'
            f'<progress max="100" value="{standing.progress}" aria-label="Your way to the front"></progress>'
            f'<p class="soft fine">{_advice(standing)}</p>{note}{sends}'
            '<p class="lost soft" role="alert" hidden>The connection is lost. Your place is kept; trying again.</p>'
            f'<p class="said" role="status"></p></main>{self._script}'
        )
        return "".join((self._before, refresh, self._between, room, self._after)).encode()

    def poll(self, standing: Standing) -> bytes:
        """What the page's script is told."""
        told = words_of(standing) | {
            "state": standing.state,
            "place": standing.place,
            "progress": standing.progress,
            "look_s": round(standing.look_s, 1),
        }
        return json.dumps(told).encode()


def words_of(standing: Standing) -> dict[str, str]:
    """Its figures in words."""
    if standing.state != "waiting":
        heading = "It is your turn" if standing.state == "turn" else "One moment"
        return {"heading": heading, "count": "", "unit": "Nearly there", "time": "You go in as soon as a seat is free."}
    before = standing.place - 1
    unit = "You are next" if before == 0 else "person before you" if before == 1 else "people before you"
    time = "How long it takes is not known yet." if standing.estimate_s is None else duration(standing.estimate_s)
    return {"heading": "You are in line", "count": f"{before:,}" if before else "", "unit": unit, "time": time}


def duration(estimate_s: float) -> str:
    """An estimate in words, as exact as it can be."""
    seconds = told_s(estimate_s)
    if seconds >= 7_200:
        return f"more than {seconds // 3600} hours"
    if seconds >= 3_600:
        return "more than an hour"
    if seconds < 60:
        return "a few seconds" if seconds <= 5 else f"about {seconds} seconds"
    minutes, rest = divmod(seconds, 60)
    if rest:
        return f"about {minutes}½ minutes"
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def _advice(standing: Standing) -> str:
    if standing.is_form:
        return (
            "What you sent was not taken yet, and your browser has kept it. Stay on this page. When it is your turn, load it "
            "again and let your browser send the form once more."
        )
    return "This page moves on by itself. Closing it for a moment does not cost you your place."


def _policy(page: str) -> str:
    hashes = {
        tag: " ".join(
            f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
            for text in re.findall(f"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
        )
        for tag in ("style", "script")
    }
    return (
        f"default-src 'none'; style-src {hashes['style']}; script-src {hashes['script']}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
