"""Tickets of a waiting room: what its holder keeps and the server does not. Signed, so that nobody can write one.

A ticket is 59 bytes, 79 characters once written for a cookie: a packed record and the first 16 bytes of its HMAC-SHA256
(RFC 2104), which also covers the name of the workload. Truncating to 128 bits is what RFC 2104, section 5 allows.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Literal

from seawall.errors import Misuse

VERSION = 1
KEY_BYTES = 16
"""The least a key may have. NIST SP 800-107 asks for as many bits as the strength wanted, here 128."""

_MAC_BYTES = 16
_RECORD = Struct(">BBB4sQIIIIIQ")
# version, kind, key, workload, line, number, called, last, first place, issued, seen in milliseconds
_KINDS = ("ticket", "pass")

Fault = Literal["malformed", "forged", "foreign", "expired"]
"""Why a ticket is not taken: it is none (*malformed*); its signature is not ours (*forged*); it is for another workload
(*foreign*); or its holder has been away too long (*expired*)."""


@dataclass(frozen=True, slots=True)
class RoomTicket:
    """A place in a line (*ticket*), or the right to go on inside (*pass*).

    `line` says which line, `number` which place was drawn there, `first_place` how many were let in before it then.
    `called` and `last` are what the line had come to when its holder last asked, so that a server that has forgotten
    everything learns it from those who wait. `issued_s` is the wall clock's time when it was made, `seen_s` that of
    the last look; both in seconds since 1970.
    """

    kind: Literal["ticket", "pass"]
    line: int
    number: int
    called: int
    last: int
    first_place: int
    issued_s: int
    seen_s: float


class Signer:
    """Writes tickets of one workload, and reads them.

    The first of `keys` signs; all are taken, so that a key can be changed without anybody losing a place. Raises Misuse
    for a key of less than 16 bytes.
    """

    def __init__(self, keys: Sequence[bytes], workload: str) -> None:
        if not keys or any(len(key) < KEY_BYTES for key in keys):
            raise Misuse(f"a waiting room needs a key of {KEY_BYTES} random bytes at least: secrets.token_bytes(32)")
        self._keys = [(sha256(key).digest()[0], key) for key in keys]
        self._workload = sha256(workload.encode()).digest()[:4]
        self._context = workload.encode() + b"\0"

    def write(self, ticket: RoomTicket) -> str:
        """The ticket as text for a cookie or a header."""
        key_id, key = self._keys[0]
        record = _RECORD.pack(
            VERSION,
            _KINDS.index(ticket.kind),
            key_id,
            self._workload,
            ticket.line,
            ticket.number,
            ticket.called,
            ticket.last,
            ticket.first_place,
            ticket.issued_s,
            round(ticket.seen_s * 1000),
        )
        return urlsafe_b64encode(record + self._mac(key, record)).rstrip(b"=").decode()

    def read(self, text: str, now_s: float, away_s: float, stay_s: float) -> RoomTicket | Fault:
        """The ticket that `text` is, or what is wrong with it. `now_s` is the wall clock's time.

        A ticket is good for `away_s` seconds since its holder was last seen, a pass for `stay_s` since it was issued. A clock
        that was put back makes them younger, never invalid.
        """
        if len(text) > 200:
            return "malformed"
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return "malformed"
        if len(raw) != _RECORD.size + _MAC_BYTES or raw[0] != VERSION or raw[1] >= len(_KINDS):
            return "malformed"
        record, mac = raw[: _RECORD.size], raw[_RECORD.size :]
        _, kind, key_id, workload, line, number, called, last, first_place, issued_s, seen_ms = _RECORD.unpack(record)
        if workload != self._workload:
            return "foreign"
        if not any(hmac.compare_digest(mac, self._mac(key, record)) for own, key in self._keys if own == key_id):
            return "forged"
        ticket = RoomTicket(_KINDS[kind], line, number, called, last, first_place, issued_s, seen_ms / 1000)  # type: ignore[arg-type]
        until_s = ticket.seen_s + away_s if ticket.kind == "ticket" else ticket.issued_s + stay_s
        return "expired" if now_s > until_s else ticket

    def _mac(self, key: bytes, record: bytes) -> bytes:
        return hmac.digest(key, self._context + record, "sha256")[:_MAC_BYTES]
