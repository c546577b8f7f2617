"""One user's cookies (RFC 6265), for one host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from seawall.clock import SYSTEM_CLOCK

MOST_COOKIES = 100
"""More than browsers keep for a host by the RFC's minimum (50); the oldest goes."""


class Cookies:
    """Kept by name and path. `Domain` is left out of account: only the target's host is asked. A cookie that expires later
    is kept for the whole visit, since visits are short."""

    __slots__ = ("_by_name_and_path", "_everywhere", "_header")

    def __init__(self) -> None:
        self._by_name_and_path: dict[tuple[str, str], tuple[str, bool]] = {}
        self._everywhere = True  # every cookie's path is / and none is for https only: the header can be kept
        self._header: str | None = ""

    def values(self) -> Mapping[str, str]:
        """By name; of two with one name, that with the longer path."""
        kept = sorted(self._by_name_and_path.items(), key=lambda item: len(item[0][1]))
        return {name: value for (name, _), (value, _) in kept}

    def take(self, set_cookie: str, request_path: str) -> None:
        """Keeps, or drops, what a `Set-Cookie` header says. One that can't be read is left out."""
        pair, _, rest = set_cookie.partition(";")
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            return
        path, secure, gone = _default_path(request_path), False, False
        max_age: str | None = None
        expires = ""
        for attribute in rest.split(";") if rest else ():
            key, _, text = attribute.partition("=")
            match key.strip().lower():
                case "path" if text.strip().startswith("/"):
                    path = text.strip()
                case "secure":
                    secure = True
                case "max-age":
                    max_age = text.strip()
                case "expires":
                    expires = text.strip()
        if max_age is not None and max_age.lstrip("-").isdigit():
            gone = int(max_age) <= 0
        elif expires:
            gone = _is_past(expires)
        self._keep(name, path, None if gone else value.strip(), secure)

    def _keep(self, name: str, path: str, value: str | None, secure: bool) -> None:
        key = (name, path)
        if value is None:
            if self._by_name_and_path.pop(key, None) is None:
                return
        else:
            if self._by_name_and_path.get(key) == (value, secure):
                return
            self._by_name_and_path[key] = (value, secure)
            if len(self._by_name_and_path) > MOST_COOKIES:
                del self._by_name_and_path[next(iter(self._by_name_and_path))]
        self._everywhere = all(p == "/" and not s for (_, p), (_, s) in self._by_name_and_path.items())
        self._header = None

    def header(self, request_path: str, *, secure: bool) -> str:
        """The value of `Cookie` for a request; empty where there is nothing to send."""
        if not self._everywhere:
            path = request_path.partition("?")[0]
            fits = [
                (name, where, value)
                for (name, where), (value, only_secure) in self._by_name_and_path.items()
                if _is_below(path, where) and (secure or not only_secure)
            ]
            fits.sort(key=lambda cookie: -len(cookie[1]))  # the longer path goes first; RFC 6265, 5.4
            return "; ".join(f"{name}={value}" for name, _, value in fits)
        if self._header is None:
            self._header = "; ".join(f"{name}={value}" for (name, _), (value, _) in self._by_name_and_path.items())
        return self._header


def _default_path(request_path: str) -> str:
    """RFC 6265, 5.1.4: the folder of the request."""
    folder = request_path.partition("?")[0].rpartition("/")[0]
    return folder or "/"


def _is_below(path: str, where: str) -> bool:
    """RFC 6265, 5.1.4."""
    return path == where or (path.startswith(where) and (where.endswith("/") or path[len(where)] == "/"))


def _is_past(date: str) -> bool:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return False
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp() <= SYSTEM_CLOCK.time()
