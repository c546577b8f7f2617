"""Who a visitor is, for one day: a keyed hash, and the daily salts that make it forgettable.

A salt is named by the calendar date of the site's time zone. Dates in use anywhere on Earth are kept, and the next;
older ones are destroyed, and with them the way from an address to its hash.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import msgspec

from seawall import Mutex
from seawall.clock import SYSTEM_CLOCK, Clock
from turnout.errors import StoreUnavailable

SALT_BYTES = 32
WEST = timedelta(hours=-12)
EAST = timedelta(hours=14)
AHEAD = timedelta(days=1)


def visitor_hash(salt: bytes, site_id: int, address: str, user_agent: str) -> int:
    """64 bits of keyed BLAKE2b (RFC 7693) of site, address and user agent."""
    text = f"{site_id}\0{address}\0{user_agent}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8, key=salt).digest(), "big")


class Salts:
    """The salts in use, kept in a file so that a restart on the same day keeps its visitors.

    A salt is on the disk before it is first used. Call `tend` now and then (hourly will do): it makes the next
    day's salt ahead, so that `salt` need not wait for the disk at midnight, and destroys the old ones.
    """

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = path
        self._clock = clock
        self._mutex = Mutex("salts")
        self._salts = _read(path)  # replaced whole, guarded by self._mutex
        self.tend()

    def salt(self, day: date) -> bytes:
        """The salt of a local date. Blocks for a disk sync the first time of a date that was not made ahead.

        Raises `StoreUnavailable` when that can't be written.
        """
        found = self._salts.get(day)
        if found is not None:
            return found
        with self._mutex:
            if day not in self._salts:
                self._keep({**self._salts, day: secrets.token_bytes(SALT_BYTES)})
            return self._salts[day]

    def tend(self) -> None:
        """Make what the next day needs and destroy what no place on Earth uses any more."""
        with self._mutex:
            wanted = set(self._days())
            salts = {day: salt for day, salt in self._salts.items() if day in wanted}
            for day in wanted - salts.keys():
                salts[day] = secrets.token_bytes(SALT_BYTES)
            if salts != self._salts:
                self._keep(salts)

    def _days(self) -> Iterator[date]:
        now = datetime.fromtimestamp(self._clock.time(), UTC)
        day, last = (now + WEST).date(), (now + EAST + AHEAD).date()
        while day <= last:
            yield day
            day += AHEAD

    def _keep(self, salts: dict[date, bytes]) -> None:
        new = self._path.with_suffix(".new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode({day.isoformat(): salt.hex() for day, salt in salts.items()}))
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._path)
            _sync_directory(self._path.parent)
        except OSError as error:
            raise StoreUnavailable(f"the salts {self._path} can't be written: {error}") from error
        self._salts = salts


def _read(path: Path) -> dict[date, bytes]:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[date, str])
        return {day: bytes.fromhex(salt) for day, salt in kept.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreUnavailable(f"the salts {path} can't be read: {error}. Move the file away to start anew") from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
