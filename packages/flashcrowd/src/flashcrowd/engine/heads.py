"""The heads of requests."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flashcrowd.engine.target import Origin
from flashcrowd.errors import FlashcrowdError
from flashcrowd.users.user import User

DEFAULT_HEADERS = {"User-Agent": "Flashcrowd/0.1", "Accept": "*/*", "Accept-Encoding": "gzip"}
UNFIT = re.compile(r"[\x00\r\n]")


class Heads:
    """The part of a request's head that is the same for all requests of one class of users to one origin."""

    def __init__(self) -> None:
        self._made: dict[tuple[Origin, type[User]], str] = {}

    def lines(self, origin: Origin, user: type[User], own: Mapping[str, str] | None) -> str:
        """The lines after the request line, each with its end; `own` are this request's, and take others' place."""
        if not own:
            made = self._made.get((origin, user))
            if made is None:
                made = self._made[origin, user] = self._lines(origin, user.headers)
            return made
        return self._lines(origin, {**user.headers, **own})

    def _lines(self, origin: Origin, headers: Mapping[str, str]) -> str:
        given = {name.lower() for name in headers}
        merged = {name: value for name, value in DEFAULT_HEADERS.items() if name.lower() not in given}
        by_name: dict[str, tuple[str, str]] = {name.lower(): (name, value) for name, value in merged.items()}
        if "host" not in given:
            by_name = {"host": ("Host", origin.authority), **by_name}
        for name, value in headers.items():
            if UNFIT.search(name + value):
                raise FlashcrowdError(f"a header can't hold a line's end: {name!r}")
            by_name[name.lower()] = (name, value)
        return "".join(f"{name}: {value}\r\n" for name, value in by_name.values())
