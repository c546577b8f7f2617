"""What is tested: an address, and everything on the same host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from flashcrowd.errors import BadInput, FlashcrowdError

PLAIN = re.compile(r"/[!\"$-~]*")
"""A path that can be sent as it is: visible ASCII, no `#`."""
SENT_AS_IT_IS = "!$%&'()*+,-./:;=?@[]_~"
PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """A scheme, host and port. Connections to one origin can be used for any request to it."""

    scheme: str
    host: str
    port: int

    @property
    def is_secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """As the `Host` header has it: without the scheme's own port, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class Target:
    """The address that was given: an origin, and the path under which all lies (empty, or without a slash at its end)."""

    origin: Origin
    base: str

    def path(self, path: str) -> str:
        """`path` as a request line carries it. Raises `FlashcrowdError` for one that does not begin with a slash."""
        if not PLAIN.fullmatch(path):
            if not path.startswith("/"):
                raise FlashcrowdError(f"a path begins with a slash, and is below the target's address: {path!r}")
            path = quote(path.partition("#")[0], safe=SENT_AS_IT_IS)
        return self.base + path

    def redirect(self, here: Origin, path: str, location: str) -> tuple[Origin, str] | None:
        """Where an answer from `path` on `here` leads to; None where that is no address, or one of another host: only the
        target's is loaded."""
        try:
            origin, found = split(urljoin(f"{here}{path}", location))
        except ValueError:
            return None
        return (origin, found) if origin.host == self.origin.host else None


def split(url: str) -> tuple[Origin, str]:
    """An absolute address as an origin, and the path and query of its request line. Raises `ValueError` for any other."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not parts.hostname:
        raise ValueError(f"not an http or https address: {url!r}")
    path = quote(parts.path or "/", safe=SENT_AS_IT_IS) + (
        f"?{quote(parts.query, safe=SENT_AS_IT_IS)}" if parts.query else ""
    )
    return Origin(scheme, parts.hostname, parts.port or PORTS[scheme]), path


def parse(url: str) -> Target:
    """The target of a command line. Raises `BadInput`."""
    try:
        origin, path = split(url)
    except ValueError:
        raise BadInput("URL", f"expected an address such as http://127.0.0.1:8000, not {url!r}") from None
    if "?" in path:
        raise BadInput("URL", f"expected an address without a query: users add their own; not {url!r}")
    return Target(origin, path.rstrip("/"))
