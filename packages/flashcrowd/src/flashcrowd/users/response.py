"""The answer to a request, as a user sees it."""

from __future__ import annotations

import html
import json
import re
import zlib

from flashcrowd.errors import FlashcrowdError

LARGEST_BODY_BYTES = 64 * 1024 * 1024
"""What a compressed body may come to. A longer one is cut off, and not readable."""

INPUT = re.compile(rb"<input\b[^>]*>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")


class Response:
    """An answer, whole. Its body is decompressed and decoded when it is asked for, and not before."""

    __slots__ = ("_body", "_raw_body", "ended_s", "first_byte_s", "raw_headers", "status", "url")

    def __init__(self, url: str) -> None:
        self.url = url
        """The path and query that answered: the last ones where redirects were followed."""
        self.status = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        """In the order in which they came, names as they came."""
        self.first_byte_s: float | None = None
        """When the first byte came, by `flashcrowd.clock.monotonic`."""
        self.ended_s = 0.0
        """When the last byte came."""
        self._raw_body: bytes = b""
        self._body: bytes | None = None

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case of letters; None where there is none."""
        wanted = name.lower().encode("latin-1")
        for key, value in self.raw_headers:
            if len(key) == len(wanted) and key.lower() == wanted:
                return value.decode("latin-1")
        return None

    @property
    def headers(self) -> dict[str, str]:
        """All, by names in small letters; several of one name are joined with a comma."""
        found: dict[str, str] = {}
        for key, value in self.raw_headers:
            name, text = key.decode("latin-1").lower(), value.decode("latin-1")
            found[name] = f"{found[name]}, {text}" if name in found else text
        return found

    @property
    def body(self) -> bytes:
        """The body's bytes, decompressed. Raises `FlashcrowdError` where they are not what their header says."""
        if self._body is None:
            self._body = _plain(self._raw_body, (self.header("content-encoding") or "").strip().lower())
        return self._body

    @property
    def text(self) -> str:
        """The body as text, in the character set of its header, or UTF-8; what can't be read is replaced."""
        kind = self.header("content-type") or ""
        _, _, charset = kind.lower().partition("charset=")
        name = charset.partition(";")[0].strip().strip("\"'") or "utf-8"
        try:
            return self.body.decode(name, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """The body as JSON. Raises `ValueError` where it is none."""
        return json.loads(self.body)

    def hidden_input(self, name: str) -> str:
        """The value of the form field of that name, as pages carry a token against forged forms.

        Raises `FlashcrowdError` where the page has none, which marks the request as wrong.
        """
        for tag in INPUT.findall(self.body):
            found = {key.lower(): a or b or c for key, a, b, c in ATTRIBUTE.findall(tag.decode("utf-8", "replace"))}
            if html.unescape(found.get("name", "")) == name:
                return html.unescape(found.get("value", ""))
        raise FlashcrowdError(f"no input named {name!r} in {self.url}")


def _plain(raw: bytes, encoding: str) -> bytes:
    """`raw` without its content encoding."""
    if encoding in ("", "identity"):
        return raw
    if encoding != "gzip":
        raise FlashcrowdError(f"the answer is in {encoding!r}, which was not asked for")
    try:
        reader = zlib.decompressobj(wbits=31)
        plain = reader.decompress(raw, LARGEST_BODY_BYTES)
    except zlib.error as error:
        raise FlashcrowdError(f"the answer's body is not gzip, though its header says so: {error}") from None
    if reader.unconsumed_tail:
        raise FlashcrowdError(f"the answer's body is larger than {LARGEST_BODY_BYTES} bytes")
    return plain
